// The wall clock jumps, as clocks do that somebody sets: deadlines run on, and a repeated submit is known
// again.
#include <doctest/doctest.h>

#include "engine/manual_engine.h"

using namespace mediagen;
using mediagen::testing::ManualEngine;
using mediagen::testing::Simulator;

namespace {

constexpr int64_t kHourMs = 3'600'000;

Json Request(int64_t deadline_ms) {
  return {{"user", "u1"},      {"provider", "replicate"},   {"model", "simulated/model"},
          {"prompt", "a fox"}, {"deadlineMs", deadline_ms}, {"size", "64x64"}};
}

}  // namespace

TEST_CASE("a wall clock that jumps ahead does not end what is in time") {
  Simulator simulator({.work_ms = 50});
  ManualEngine e(simulator.url());
  auto submitted = e.Submit(Request(20 * kHourMs));
  REQUIRE(submitted.ok());
  e.Step(5);
  e.clock.JumpWall(72 * kHourMs);
  auto record = e.Rest((*submitted)["id"]);
  REQUIRE(record.ok());
  CAPTURE(record->dump());
  CHECK((*record)["status"] == "completed");
  CHECK(e.Served((*submitted)["id"]));
}

TEST_CASE("a wall clock that jumps back does not prolong a deadline") {
  Simulator simulator({.work_ms = 600'000});
  ManualEngine e(simulator.url());
  auto submitted = e.Submit(Request(20'000));
  REQUIRE(submitted.ok());
  e.Step(20);
  const int64_t begun = e.clock.MonotonicMs();
  e.clock.JumpWall(-3 * kHourMs);
  auto record = e.Rest((*submitted)["id"]);
  REQUIRE(record.ok());
  CAPTURE(record->dump());
  CHECK((*record)["status"] == "failed");
  CHECK((*record)["error"]["class"] == "timeout");
  CHECK(e.clock.MonotonicMs() - begun < 120'000);
}

TEST_CASE("an idempotency key is known again after a jump back, and forgotten a day later") {
  ManualEngine e;
  Json request = {{"user", "u1"}, {"provider", "sketch"}, {"prompt", "a fox"}, {"size", "32x32"}};
  request["idempotencyKey"] = "k";
  auto first = e.Submit(request);
  REQUIRE(first.ok());
  for (int64_t jump : {-3 * kHourMs, 4 * kHourMs, 22 * kHourMs}) {
    CAPTURE(jump);
    e.clock.JumpWall(jump);
    auto again = e.Submit(request);
    REQUIRE(again.ok());
    CHECK((*again)["id"] == (*first)["id"]);
  }
  e.clock.JumpWall(2 * kHourMs);
  auto anew = e.Submit(request);
  REQUIRE(anew.ok());
  CHECK((*anew)["id"] != (*first)["id"]);
}
