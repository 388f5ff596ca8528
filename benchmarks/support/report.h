// Report: the rows of one benchmark, printed as a table and written as benchmarks/results/NAME.json.
//
// The file is {"bench", "machine", "date", "rows": [{"work", "metric", "peer", "peerVersion", "ours",
// "theirs", "ratio", "spread", "floor", "goal"}]}; `ratio`, `floor` and `goal` are all turned so that higher
// is better. tools/bench_results.py makes RESULTS.md and the charts of these files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/rounds.h"

namespace mediagen::bench {

struct Row {
  std::string work;          // what was done: "keyset page of 20, 1 M rows"
  std::string metric;        // what the figures are: "rows/s", "p99 ms"
  std::string peer;          // "SQLite C", or "bound" for an absolute one
  std::string peer_version;  // as the peer says it; "" for a bound
  Comparison comparison;
  std::optional<double> floor, goal;  // the ratio that must be, and the one that is wanted
};

class Report {
 public:
  explicit Report(std::string bench) : bench_(std::move(bench)) {}

  void Add(Row row) { rows_.push_back(std::move(row)); }

  // Prints the table to stdout and writes <folder>/<bench>.json beside its final name, then renames it.
  // `folder` "" means the environment's MEDIAGEN_RESULTS, and nothing is written without it. The program's
  // exit code: 0, or 1 when the file could not be written. A row below its floor is marked, never a failure:
  // a benchmark is no test.
  int Finish(const std::string& folder = "") const;

  // The document, with `date` as it is (RFC 3339) and `machine` as one line.
  std::string Json(const std::string& machine, const std::string& date) const;

 private:
  std::string bench_;
  std::vector<Row> rows_;
};

// "Xeon E5, 2 cores, 24 GB, Linux 6.1": enough to know whether two files may be compared.
std::string MachineName();

}  // namespace mediagen::bench
