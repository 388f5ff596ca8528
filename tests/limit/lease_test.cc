// The text of a lease: what was written is read, and nothing else is.
#include "limit/lease.h"

#include <doctest/doctest.h>

#include "base/base64.h"
#include "base/id.h"

namespace mediagen {
namespace {

LimitLease Sample() {
  return {.origin = 0xFEDCBA9876543210,
          .id = 7,
          .parts = {{"per user", std::string("a\0\xff", 3), 1, 0},
                    {"r", "", INT64_MAX, INT64_MAX},
                    {"generations", std::string(300, 'k'), 128, 1'767'225'600'000'000}}};
}

TEST_CASE("a lease is read as it was written") {
  auto read = LimitLease::Parse(Sample().Encode());
  REQUIRE_MESSAGE(read.ok(), read.status().ToString());
  CHECK(*read == Sample());
  CHECK(LimitLease{}.Encode().empty());
  CHECK(LimitLease::Parse("")->parts.empty());
  const LimitLease one{
      .origin = 1, .id = 2, .parts = {{"generations", "12345678", 1, 1'767'225'600'000'000}}};
  CHECK(one.Encode().size() <= 72);
}

TEST_CASE("a text that was cut, changed or made up is refused") {
  const std::string text = Sample().Encode();
  for (size_t size = 1; size < text.size(); ++size) {
    CHECK(CodeOf(LimitLease::Parse(text.substr(0, size)).status()) == Code::kInvalid);
  }
  auto random = SeededRandom(1);
  for (int i = 0; i < 2'000; ++i) {
    std::string changed = text;
    const size_t at = random->Below(changed.size());
    changed[at] = static_cast<char>(random->Next());
    auto read = LimitLease::Parse(changed);
    // Base64's last character has spare bits; any other change is noticed.
    if (read.ok()) CHECK(*read == Sample());
    std::string noise(random->Below(100) + 1, ' ');
    for (char& c : noise) c = static_cast<char>(random->Next());
    CHECK_FALSE(LimitLease::Parse(noise).ok());
    CHECK_FALSE(LimitLease::Parse(Base64UrlEncode("\x01" + noise)).ok());
  }
  CHECK_FALSE(LimitLease::Parse(std::string(2 << 20, 'A')).ok());
}

TEST_CASE("more parts than a step can have, and costs of nothing, are refused") {
  LimitLease many{.origin = 1, .id = 1, .parts = std::vector<LimitLease::Part>(65, {"r", "k", 1, 1})};
  CHECK_FALSE(LimitLease::Parse(many.Encode()).ok());
  many.parts.pop_back();
  CHECK(LimitLease::Parse(many.Encode()).ok());
  many.parts[3].cost = 0;
  CHECK_FALSE(LimitLease::Parse(many.Encode()).ok());
}

}  // namespace
}  // namespace mediagen
