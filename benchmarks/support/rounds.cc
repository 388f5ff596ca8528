#include "support/rounds.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "fmt/format.h"

namespace mediagen::bench {
namespace {

double Measured(const Contender& contender) {
  const double figure = contender.measure();
  if (!std::isfinite(figure) || figure <= 0) {
    fmt::print(stderr, "{} measured {}; a figure has to be positive and finite.\n", contender.name, figure);
    std::exit(1);
  }
  return figure;
}

double Spread(const std::vector<double>& figures) {
  const auto [least, most] = std::minmax_element(figures.begin(), figures.end());
  return (*most - *least) / Median(figures);
}

}  // namespace

std::vector<Samples> RunInterleaved(const std::vector<Contender>& contenders, int rounds) {
  std::vector<Samples> all;
  for (const Contender& contender : contenders) {
    Measured(contender);
    all.push_back({contender.name, {}});
  }
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      const size_t turn = (i + static_cast<size_t>(round)) % contenders.size();
      all[turn].figures.push_back(Measured(contenders[turn]));
    }
  }
  return all;
}

double Median(std::vector<double> figures) {
  std::sort(figures.begin(), figures.end());
  const size_t middle = figures.size() / 2;
  return figures.size() % 2 == 1 ? figures[middle] : (figures[middle - 1] + figures[middle]) / 2;
}

double Percentile(std::vector<double> figures, double fraction) {
  std::sort(figures.begin(), figures.end());
  const double rank = std::ceil(fraction * static_cast<double>(figures.size()));
  return figures[std::clamp<size_t>(static_cast<size_t>(rank), 1, figures.size()) - 1];
}

double Ratio(double ours, double theirs, Better better) {
  return better == Better::kMore ? ours / theirs : theirs / ours;
}

Comparison Compare(const Samples& ours, const Samples& theirs, Better better) {
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(ours.figures.size(), theirs.figures.size()); ++i) {
    ratios.push_back(Ratio(ours.figures[i], theirs.figures[i], better));
  }
  const double mine = Median(ours.figures), other = Median(theirs.figures);
  return {mine, other, Ratio(mine, other, better), Spread(ratios)};
}

Comparison CompareWithBound(const Samples& ours, double bound, Better better) {
  const double mine = Median(ours.figures);
  return {mine, bound, Ratio(mine, bound, better), Spread(ours.figures)};
}

}  // namespace mediagen::bench
