// What generations were charged under way, and what is given back of it.
#include "api/lease_book.h"

#include <doctest/doctest.h>

#include "base/clock.h"
#include "limit/memory/memory.h"

using namespace mediagen;

namespace {

struct Fixture {
  FakeClock clock;
  std::unique_ptr<Limiter> limiter = *NewMemoryLimiter(&clock, {{"r", 4, 60'000}});
  LeaseBook book{limiter.get()};

  LimitLease Charge() {
    const LimitCheck check{"r", "ann"};
    return limiter->Reserve({&check, 1})->lease;
  }
  int64_t Left() {
    const LimitCheck look{"r", "ann", 0};
    return limiter->Check({&look, 1})->remaining;
  }
};

}  // namespace

TEST_CASE("what a generation was charged is given back when it fails, once") {
  Fixture f;
  f.book.Keep("g1", f.Charge());
  f.book.Keep("g2", f.Charge());
  CHECK(f.Left() == 2);
  f.book.Failed("g1", false);
  CHECK(f.Left() == 3);
  f.book.Failed("g1", false);
  CHECK(f.Left() == 3);
  f.book.Ended("g2");
  f.book.Failed("g2", false);
  CHECK(f.Left() == 3);
}

TEST_CASE("a failure that counts, and what was forgotten, stays charged") {
  Fixture f;
  f.book.Keep("g1", f.Charge());
  f.book.Failed("g1", true);
  CHECK(f.Left() == 3);
  f.book.Keep("g2", f.Charge());
  f.book.Clear();
  f.book.Failed("g2", false);
  CHECK(f.Left() == 2);
}

TEST_CASE("a failure may be told before the request is answered") {
  Fixture f;
  f.book.Failed("g1", false);
  f.book.Keep("g1", f.Charge());
  CHECK(f.Left() == 4);
  f.book.Failed("g2", true);
  f.book.Keep("g2", f.Charge());
  CHECK(f.Left() == 3);
}

TEST_CASE("another try has a charge of its own") {
  Fixture f;
  f.book.Keep("g1", f.Charge());
  CHECK(f.Left() == 3);
  f.book.Failed("g1", false);
  CHECK(f.Left() == 4);
  f.book.KeepRetry("g1", f.Charge());
  CHECK(f.Left() == 3);
  f.book.Failed("g1", false);
  CHECK(f.Left() == 4);
}

TEST_CASE("the book is bounded: past it the oldest stays charged") {
  Fixture f;
  const LimitLease lease = f.Charge();
  f.book.Keep("first", lease);
  for (size_t i = 0; i < LeaseBook::kMost; ++i) {
    LimitLease other = lease;
    other.id = i + 1'000'000;
    f.book.Keep("g" + std::to_string(i), other);
  }
  f.book.Failed("first", false);
  CHECK(f.Left() == 3);
}

TEST_CASE("without a limiter there is nothing to give back") {
  LeaseBook book(nullptr);
  book.Keep("g1", {});
  book.Failed("g1", false);
  book.KeepRetry("g1", {});
}
