// Interleaved rounds: how two things are measured against each other on a machine that others use, too.
//
// A round runs every contender once, and each round starts with another one, so that a slow minute of the
// machine meets all of them. What counts is a median over the rounds and the spread beside it.
// Single-threaded; a contender may use as many threads as it likes.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace mediagen::bench {

// What a measured figure means: 4,000 rows a second are better when more, 3 ms when less.
enum class Better { kMore, kLess };

struct Contender {
  std::string name;
  // Does the work once and returns the figure (rows/s, ms, bytes …): positive, finite.
  std::function<double()> measure;
};

// One figure a round, in the order of the contenders.
struct Samples {
  std::string name;
  std::vector<double> figures;
};

constexpr int kRounds = 5;  // fewer, and one bad round moves the median

// Runs every contender once without counting (caches, files, allocators), then `rounds` rounds. A figure that
// is not positive and finite ends the program with a sentence: a broken measurement must not become a row.
std::vector<Samples> RunInterleaved(const std::vector<Contender>& contenders, int rounds = kRounds);

// The middle figure, or the mean of the two middle ones. `figures` is not empty.
double Median(std::vector<double> figures);

// The figure below which `fraction` of the figures lie (nearest rank): Percentile(times, 0.99) is the p99.
// `figures` is not empty.
double Percentile(std::vector<double> figures, double fraction);

// How `ours` compares with `theirs`, turned so that higher is better: 2 is twice as good.
double Ratio(double ours, double theirs, Better better);

// Compares two contenders of the same rounds. `ratio` is that of the medians; `spread` is (largest −
// smallest) / median of the ratios of the single rounds: 0.1 means that they lay within 10 % of each other.
struct Comparison {
  double ours = 0, theirs = 0;
  double ratio = 0, spread = 0;
};
Comparison Compare(const Samples& ours, const Samples& theirs, Better better);

// Compares a contender with an absolute bound ("p99 ≤ 20 ms"); the spread is that of its own figures.
Comparison CompareWithBound(const Samples& ours, double bound, Better better);

}  // namespace mediagen::bench
