#include "support/report.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "support/table.h"

namespace mediagen::bench {
namespace {

using Ordered = nlohmann::ordered_json;

// Three significant digits: more would claim what no shared machine can measure.
double Rounded(double figure) {
  if (figure == 0) return 0;
  const double scale = std::pow(10, 2 - std::floor(std::log10(std::abs(figure))));
  return std::round(figure * scale) / scale;
}

Ordered OrNull(const std::optional<double>& figure) { return figure ? Ordered(*figure) : Ordered(nullptr); }

std::string ProcessorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

// What stands in the table's last column.
std::string Verdict(const Row& row) {
  if (row.floor && row.comparison.ratio < *row.floor) return "below its floor";
  if (row.goal && row.comparison.ratio >= *row.goal) return "goal";
  return row.floor ? "floor" : "";
}

std::string Figure(double figure) { return fmt::format("{:.3g}", figure); }
std::string Figure(const std::optional<double>& figure) { return figure ? Figure(*figure) : ""; }

void PrintTable(const std::vector<Row>& rows) {
  Table table({"work", "metric", "ours", "theirs", "peer", "ratio", "spread", "floor", "goal", ""});
  for (const Row& row : rows) {
    const Comparison& c = row.comparison;
    table.Add({row.work, row.metric, fmt::format("{:g}", Rounded(c.ours)),
               fmt::format("{:g}", Rounded(c.theirs)), fmt::format("{} {}", row.peer, row.peer_version),
               Figure(c.ratio), fmt::format("{:.0f} %", 100 * c.spread), Figure(row.floor), Figure(row.goal),
               Verdict(row)});
  }
  fmt::print("{}", table.Text());
}

bool WriteWhole(const std::string& path, const std::string& text) {
  const std::string partial = path + ".part";
  std::FILE* file = std::fopen(partial.c_str(), "w");
  if (file == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return (std::fclose(file) == 0) && written && std::rename(partial.c_str(), path.c_str()) == 0;
}

}  // namespace

std::string MachineName() {
  utsname system{};
  uname(&system);
  const double gigabytes =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 30);
  return fmt::format("{}, {} cores, {:.0f} GB, {} {}", ProcessorName(), sysconf(_SC_NPROCESSORS_ONLN),
                     gigabytes, system.sysname, system.release);
}

std::string Report::Json(const std::string& machine, const std::string& date) const {
  Ordered rows = Ordered::array();
  for (const Row& row : rows_) {
    const Comparison& c = row.comparison;
    rows.push_back({{"work", row.work},
                    {"metric", row.metric},
                    {"peer", row.peer},
                    {"peerVersion", row.peer_version},
                    {"ours", Rounded(c.ours)},
                    {"theirs", Rounded(c.theirs)},
                    {"ratio", Rounded(c.ratio)},
                    {"spread", Rounded(c.spread)},
                    {"floor", OrNull(row.floor)},
                    {"goal", OrNull(row.goal)}});
  }
  const Ordered document = {
      {"bench", bench_}, {"machine", machine}, {"date", date}, {"rows", std::move(rows)}};
  return document.dump(2, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

int Report::Finish(const std::string& folder) const {
  PrintTable(rows_);
  std::string target = folder;
  if (const char* environment = std::getenv("MEDIAGEN_RESULTS"); target.empty() && environment != nullptr)
    target = environment;
  if (target.empty()) return 0;
  const std::string path = fmt::format("{}/{}.json", target, bench_);
  if (WriteWhole(path, Json(MachineName(), Now()))) return 0;
  std::perror(path.c_str());
  return 1;
}

}  // namespace mediagen::bench
