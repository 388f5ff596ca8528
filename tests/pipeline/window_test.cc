// How many paid requests a provider is given at once, by its answers; without time that passes.
#include "pipeline/window.h"

#include <doctest/doctest.h>

#include "pipeline/gate.h"

using namespace mediagen;

TEST_CASE("a window begins at what is configured, halves on overload, and never closes") {
  Window window(10);
  CHECK(window.limit() == 10);
  int64_t now = 1000;
  for (int expected : {5, 2, 1, 1}) {
    window.OnOverload(now, now + 10, -1);
    CHECK(window.limit() == expected);
    now += 100;
  }
}

TEST_CASE("it grows by one for every window's worth of accepted requests, up to what is configured") {
  Window window(4);
  window.OnOverload(0, 10, -1);
  window.OnOverload(20, 30, -1);
  REQUIRE(window.limit() == 1);
  for (int size = 1; size < 4; ++size) {
    CHECK(window.limit() == size);
    for (int i = 0; i < size; ++i) window.OnSuccess();
  }
  CHECK(window.limit() == 4);
  for (int i = 0; i < 100; ++i) window.OnSuccess();
  CHECK(window.limit() == 4);
}

TEST_CASE("refusals of requests that left before the last halving are the same overload") {
  Window window(16);
  window.OnOverload(100, 200, -1);
  for (int64_t sent : {90, 150, 200}) window.OnOverload(sent, 300, -1);
  CHECK(window.limit() == 8);
  window.OnOverload(201, 400, -1);
  CHECK(window.limit() == 4);
}

TEST_CASE("a hint is a pause, the longest one counts, and one within the same overload counts, too") {
  Window window(4);
  window.OnOverload(100, 200, 5'000);
  CHECK(window.paused_until() == 5'200);
  window.OnOverload(110, 300, 1'000);
  CHECK(window.paused_until() == 5'200);
  window.OnOverload(120, 400, 60'000);
  CHECK(window.paused_until() == 60'400);
  CHECK(window.limit() == 2);
}

namespace {

struct Fixture {
  FakeClock clock;
  Metrics metrics;
  Gate gate{&clock, &metrics};
  int64_t wait_ms = 0;

  Gate::Place Enter() { return gate.Enter("fal", &wait_ms); }
  bool Shows(const std::string& line) { return metrics.Text().find(line) != std::string::npos; }
};

}  // namespace

TEST_CASE("a provider has room for as many requests as its window; a place that is left is free") {
  Fixture f;
  f.gate.Add("fal", 2);
  Gate::Place first = f.Enter(), second = f.Enter();
  REQUIRE((first && second));
  CHECK_FALSE(f.Enter());
  CHECK(f.wait_ms > 0);
  CHECK(f.Shows("mediagen_provider_requests{provider=\"fal\"} 2"));
  first.reset();
  CHECK(f.Enter());
  // What is at the provider already takes its place whether or not there is room.
  Gate::Place resumed = f.gate.Occupy("fal");
  CHECK_FALSE(f.Enter());
}

TEST_CASE("an overloaded provider is left alone until its hint has passed, and is then given less") {
  Fixture f;
  f.gate.Add("fal", 4);
  f.clock.Advance(10);
  f.gate.Overloaded("fal", f.clock.MonotonicMs() - 5, 3'000);
  CHECK(f.Shows("mediagen_provider_window{provider=\"fal\"} 2"));
  CHECK_FALSE(f.Enter());
  CHECK(f.wait_ms == 3'000);
  f.clock.Advance(2'999);
  CHECK_FALSE(f.Enter());
  f.clock.Advance(1);
  Gate::Place first = f.Enter(), second = f.Enter();
  CHECK((first && second));
  CHECK_FALSE(f.Enter());
  f.gate.Accepted("fal");
  f.gate.Accepted("fal");
  CHECK(f.Enter());
}

TEST_CASE("what does not go over a wire has room for all") {
  Fixture f;
  f.gate.Overloaded("sketch", 0, 60'000);
  for (int i = 0; i < 100; ++i) CHECK(f.gate.Enter("sketch", &f.wait_ms));
}
