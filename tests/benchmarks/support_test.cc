#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "support/report.h"
#include "support/rounds.h"
#include "support/table.h"

namespace mediagen::bench {
namespace {

TEST_CASE("every round runs every contender once and starts with another one") {
  std::string order;
  const auto contender = [&order](char name) {
    return Contender{std::string(1, name), [&order, name] {
                       order += name;
                       return 1.0;
                     }};
  };
  const std::vector<Samples> samples = RunInterleaved({contender('a'), contender('b'), contender('c')}, 3);
  CHECK(order ==
        "abc"
        "abc"
        "bca"
        "cab");  // the first three warm up
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].name == "a");
  CHECK(samples[2].figures.size() == 3);
}

TEST_CASE("a median is the middle figure, whatever the order") {
  CHECK(Median({3, 1, 2}) == 2);
  CHECK(Median({4, 1, 3, 2}) == 2.5);
  CHECK(Median({7}) == 7);
}

TEST_CASE("a percentile is a figure that was measured") {
  CHECK(Percentile({5, 1, 4, 2, 3}, 0.5) == 3);
  CHECK(Percentile({5, 1, 4, 2, 3}, 0.99) == 5);
  CHECK(Percentile({5, 1, 4, 2, 3}, 0) == 1);
}

TEST_CASE("a ratio is higher when we are better, in either sense of the figures") {
  CHECK(Ratio(200, 100, Better::kMore) == 2);
  CHECK(Ratio(5, 10, Better::kLess) == 2);
}

TEST_CASE("a comparison takes medians, and its spread is that of the rounds' own ratios") {
  const Comparison c = Compare({"ours", {100, 220, 300}}, {"theirs", {100, 100, 100}}, Better::kMore);
  CHECK(c.ours == 220);
  CHECK(c.theirs == 100);
  CHECK(c.ratio == doctest::Approx(2.2));
  CHECK(c.spread == doctest::Approx((3.0 - 1.0) / 2.2));

  const Comparison bound = CompareWithBound({"ours", {4, 5, 6}}, 20, Better::kLess);
  CHECK(bound.ratio == 4);
  CHECK(bound.spread == doctest::Approx(0.4));
}

TEST_CASE("a report is the document that the charts are made of") {
  Report report("page");
  report.Add({"page of 20", "µs", "SQLite C", "3.40.1", {12.3456, 6.1, 0.494}, 0.25, std::nullopt});
  const nlohmann::json document = nlohmann::json::parse(report.Json("a machine", "2026-11-20T12:00:00Z"));
  CHECK(document["bench"] == "page");
  CHECK(document["machine"] == "a machine");
  const nlohmann::json& row = document["rows"].at(0);
  CHECK(row["ours"] == 12.3);  // three digits: no shared machine measures more
  CHECK(row["peerVersion"] == "3.40.1");
  CHECK(row["floor"] == 0.25);
  CHECK(row["goal"].is_null());
}

TEST_CASE("a table pads by characters and puts numbers to the right") {
  Table table({"work", "µs"});
  table.Add({"größer", "7"});
  table.Add({"x", "120"});
  CHECK(table.Text() ==
        "work    µs\n"
        "größer    7\n"
        "x       120\n");
}

}  // namespace
}  // namespace mediagen::bench
