// The limiter as hosts see it: decisions in a structure, checks in a block of text, leases.
#include "mediagen/limiter.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>

#include "base/json.h"
#include "capi/fake_engine.h"
#include "capi/host.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

using OwnedLimiter = Owned<mediagen_limiter, mediagen_limiter_free>;

// Of the fake engine: "minute" 3 a minute, "hour" 100 an hour, room for 4 keys, the cache's clock.
OwnedLimiter OpenLimiter() {
  mediagen_limiter* limiter = nullptr;
  REQUIRE(mediagen_limiter_open(MEDIAGEN_ABI, S("{}"), &limiter, nullptr) == MEDIAGEN_OK);
  return OwnedLimiter(limiter);
}

mediagen_decision Decision() {
  mediagen_decision decision = {};
  decision.struct_size = sizeof decision;
  return decision;
}

struct Checked {
  int32_t state;
  mediagen_decision decision;
};
Checked Check(const OwnedLimiter& limiter, std::string_view rule, std::string_view key, int64_t cost = 1) {
  Checked out{0, Decision()};
  out.state = mediagen_limiter_check(limiter.get(), S(rule), S(key), cost, &out.decision);
  return out;
}
Checked CheckAll(const OwnedLimiter& limiter, std::string_view checks) {
  Checked out{0, Decision()};
  out.state = mediagen_limiter_check_all(limiter.get(), S(checks), &out.decision);
  return out;
}
int64_t Left(const OwnedLimiter& limiter, std::string_view rule, std::string_view key) {
  return Check(limiter, rule, key, 0).decision.remaining;
}

}  // namespace

TEST_CASE("a check is decided into a structure") {
  OwnedLimiter limiter = OpenLimiter();
  Checked first = Check(limiter, "minute", "ann", 2);
  CHECK(first.state == MEDIAGEN_OK);
  CHECK(first.decision.allowed == 1);
  CHECK(first.decision.degraded == 0);
  CHECK(first.decision.limit == 3);
  CHECK(first.decision.window_ms == 60'000);
  CHECK(first.decision.remaining == 1);
  CHECK(first.decision.reset_after_ms == 60'000);
  CHECK(first.decision.retry_after_ms == 0);
  CHECK(std::string_view(first.decision.rule.data, first.decision.rule.size) == "minute");
  Checked second = Check(limiter, "minute", "ann", 2);
  CHECK(second.state == MEDIAGEN_OK);  // it was decided
  CHECK(second.decision.allowed == 0);
  CHECK(second.decision.retry_after_ms == 60'000);
  CHECK(Check(limiter, "second", "ann").state == MEDIAGEN_NOT_FOUND);
  CHECK(Check(limiter, "minute", "ann", 4).state == MEDIAGEN_INVALID);
  CHECK(Check(limiter, "minute", "ann", -1).state == MEDIAGEN_INVALID);
  for (const char* key : {"b", "c", "d"}) CHECK(Check(limiter, "minute", key).state == MEDIAGEN_OK);
  CHECK(Check(limiter, "minute", "e").state == MEDIAGEN_OVERLOADED);
}

TEST_CASE(
    "a caller with an older, smaller structure gets what it has room for; a later one as much as there is") {
  OwnedLimiter limiter = OpenLimiter();
  mediagen_decision decision = Decision();
  std::memset(static_cast<void*>(&decision.rule), 0x5A, sizeof decision.rule);
  const mediagen_str before = decision.rule;
  decision.struct_size = offsetof(mediagen_decision, rule);
  CHECK(mediagen_limiter_check(limiter.get(), S("minute"), S("ann"), 1, &decision) == MEDIAGEN_OK);
  CHECK(decision.allowed == 1);
  CHECK(decision.struct_size == offsetof(mediagen_decision, rule));
  CHECK(decision.rule.data == before.data);
  CHECK(decision.rule.size == before.size);
  decision.struct_size = 0;
  CHECK(mediagen_limiter_check(limiter.get(), S("minute"), S("ann"), 1, &decision) == MEDIAGEN_INVALID);
  CHECK(Left(limiter, "minute", "ann") == 2);
  struct {
    mediagen_decision known;
    char later[16];
  } larger = {};
  larger.known.struct_size = sizeof larger;
  CHECK(mediagen_limiter_check(limiter.get(), S("minute"), S("ann"), 0, &larger.known) == MEDIAGEN_OK);
  CHECK(larger.known.struct_size == sizeof(mediagen_decision));
  CHECK(larger.known.remaining == 2);
}

TEST_CASE("several checks are one step") {
  OwnedLimiter limiter = OpenLimiter();
  Checked both = CheckAll(limiter, "minute\tann\t2\nhour\tann\t99\n");
  CHECK(both.state == MEDIAGEN_OK);
  CHECK(both.decision.remaining == 1);
  CHECK(CheckAll(limiter, "minute\tann\t1\nhour\tann\t2").decision.allowed == 0);
  CHECK(Left(limiter, "minute", "ann") == 1);
  CHECK(CheckAll(limiter, "minute\tann\nhour\tann").decision.allowed == 1);  // one each
  CHECK(Left(limiter, "hour", "ann") == 0);
  CHECK(CheckAll(limiter, "hour\t\t5").state == MEDIAGEN_OK);
  CHECK(Left(limiter, "hour", "") == 95);
  CHECK(CheckAll(limiter, "").decision.allowed == 1);
}

TEST_CASE("a block of checks that is none is refused, and charges nothing") {
  OwnedLimiter limiter = OpenLimiter();
  const std::string many = [] {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += "hour\tann\t1\n";
    return text;
  }();
  for (std::string_view bad :
       {std::string_view("minute"), std::string_view("minute ann 1\n"), std::string_view("\n"),
        std::string_view("minute\tann\t1\n\n"), std::string_view("minute\tann\t"),
        std::string_view("minute\tann\t1\t1\n"), std::string_view("minute\tann\t 1\n"),
        std::string_view("minute\tann\t+1\n"), std::string_view("minute\tann\t1.0\n"),
        std::string_view("minute\tann\t99999999999999999999\n"), std::string_view("minute\tann\t-1\n"),
        std::string_view("minute\tann\t1\r\n"), std::string_view("minute\tann\t1\0\n", 15),
        std::string_view("minute\tann\t1\nminute\tann\tx"), std::string_view(many)}) {
    CAPTURE(bad.substr(0, 40));
    CHECK(CheckAll(limiter, bad).state == MEDIAGEN_INVALID);
    mediagen_error* error = nullptr;
    CHECK(mediagen_limiter_refund(limiter.get(), S(bad), &error) == MEDIAGEN_INVALID);
    REQUIRE(error != nullptr);
    mediagen_error_free(error);
  }
  CHECK(CheckAll(limiter, "\tann\t1\n").state == MEDIAGEN_NOT_FOUND);
  CHECK(Left(limiter, "minute", "ann") == 3);
  CHECK(Left(limiter, "hour", "ann") == 100);
}

TEST_CASE("a lease gives back what was reserved, once, and a refund what it names") {
  OwnedLimiter limiter = OpenLimiter();
  mediagen_decision decision = Decision();
  mediagen_buffer* lease = nullptr;
  const auto reserve = [&](std::string_view checks) {
    return mediagen_limiter_reserve(limiter.get(), S(checks), &decision, &lease, nullptr);
  };
  CHECK(reserve("minute\tann\t3\nhour\tann\t5") == MEDIAGEN_OK);
  CHECK(decision.allowed == 1);
  const std::string text = Take(lease);
  CHECK(reserve("minute\tann\t1") == MEDIAGEN_OK);
  CHECK(decision.allowed == 0);
  CHECK(lease == nullptr);
  CHECK(mediagen_limiter_commit(limiter.get(), S(text), nullptr) == MEDIAGEN_OK);
  CHECK(Left(limiter, "minute", "ann") == 0);
  CHECK(mediagen_limiter_refund_lease(limiter.get(), S(text), nullptr) == MEDIAGEN_OK);
  CHECK(Left(limiter, "minute", "ann") == 3);
  CHECK(Left(limiter, "hour", "ann") == 100);
  CHECK(mediagen_limiter_refund_lease(limiter.get(), S(text), nullptr) == MEDIAGEN_EMPTY);
  CHECK(mediagen_limiter_refund_lease(limiter.get(), S(""), nullptr) == MEDIAGEN_EMPTY);
  mediagen_error* error = nullptr;
  CHECK(mediagen_limiter_refund_lease(limiter.get(), S(text.substr(1)), &error) == MEDIAGEN_INVALID);
  mediagen_error_free(error);
  CHECK(mediagen_limiter_commit(limiter.get(), S("no lease"), nullptr) == MEDIAGEN_INVALID);

  CHECK(Check(limiter, "hour", "ann", 10).state == MEDIAGEN_OK);
  CHECK(mediagen_limiter_refund(limiter.get(), S("hour\tann\t4\n"), nullptr) == MEDIAGEN_OK);
  CHECK(Left(limiter, "hour", "ann") == 94);
}

TEST_CASE("what was begun ends at once when memory decides, with a document") {
  OwnedLimiter limiter = OpenLimiter();
  const auto result = [](mediagen_call* call) {
    OwnedCall owned(call);
    mediagen_buffer* out = nullptr;
    REQUIRE(mediagen_call_result(call, &out, nullptr) == MEDIAGEN_OK);
    return Json::parse(Take(out));
  };
  mediagen_call* call = nullptr;
  REQUIRE(mediagen_limiter_check_begin(limiter.get(), S("minute\tann\t2"), nullptr, 0, &call, nullptr) ==
          MEDIAGEN_OK);
  CHECK(result(call) == Json{{"allowed", true},
                             {"degraded", false},
                             {"rule", "minute"},
                             {"limit", 3},
                             {"windowMs", 60'000},
                             {"remaining", 1},
                             {"resetAfterMs", 60'000},
                             {"retryAfterMs", 0}});
  REQUIRE(mediagen_limiter_reserve_begin(limiter.get(), S("minute\tann\t1"), nullptr, 0, &call, nullptr) ==
          MEDIAGEN_OK);
  const std::string lease = result(call)["lease"];
  REQUIRE(mediagen_limiter_refund_lease_begin(limiter.get(), S(lease), nullptr, 0, &call, nullptr) ==
          MEDIAGEN_OK);
  CHECK(result(call) == Json{{"refunded", true}});
  mediagen_error* error = nullptr;
  CHECK(mediagen_limiter_check_begin(limiter.get(), S("second\tann\t2"), nullptr, 0, &call, &error) ==
        MEDIAGEN_NOT_FOUND);
  CHECK(call == nullptr);
  REQUIRE(error != nullptr);
  const mediagen_str said = mediagen_error_json(error);
  CHECK(std::string(said.data, said.size).find("second") != std::string::npos);
  mediagen_error_free(error);

  mediagen_buffer* stats = nullptr;
  REQUIRE(mediagen_limiter_stats(limiter.get(), &stats) == MEDIAGEN_OK);
  const Json counted = Json::parse(Take(stats));
  CHECK(counted["allowed"] == 2);
  CHECK(counted["keys"] == 2);  // ann's, and the lease that was refunded
  CHECK(counted["maxKeys"] == 4);
}

TEST_CASE("NULL is refused, freed or not") {
  mediagen_decision decision = Decision();
  OwnedLimiter limiter = OpenLimiter();
  CHECK(mediagen_limiter_check(nullptr, S("minute"), S("ann"), 1, &decision) == MEDIAGEN_INVALID);
  CHECK(mediagen_limiter_check(limiter.get(), S("minute"), S("ann"), 1, nullptr) == MEDIAGEN_INVALID);
  CHECK(mediagen_limiter_check(limiter.get(), {nullptr, 1}, S("ann"), 1, &decision) == MEDIAGEN_INVALID);
  CHECK(mediagen_limiter_check_all(limiter.get(), {nullptr, 1}, &decision) == MEDIAGEN_INVALID);
  CHECK(mediagen_limiter_stats(limiter.get(), nullptr) == MEDIAGEN_INVALID);
  mediagen_limiter_free(nullptr);
}
