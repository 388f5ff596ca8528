// The block of checks that a host hands to a limiter, beside a plain reader of the same text.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/input.h"
#include "mediagen/mediagen.h"

namespace {

constexpr int64_t kLimit = 1'000'000'000;
constexpr size_t kMostChecks = 64;

mediagen_str Str(std::string_view text) { return {text.data(), text.size()}; }

mediagen_limiter* Open() {
  mediagen_limiter* limiter = nullptr;
  const int32_t opened = mediagen_limiter_open(
      MEDIAGEN_ABI, Str(R"({"maxKeys": 1000, "rules": {"a": "1000000000/1000s"}})"), &limiter, nullptr);
  mediagen::fuzz::Require(opened == MEDIAGEN_OK, "the limiter opens");
  return limiter;
}

// The cost that a line without its end names, or -1: it is no check.
int64_t CostOf(std::string_view line) {
  const size_t key = line.find('\t');
  if (key == std::string_view::npos) return -1;
  const size_t cost = line.find('\t', key + 1);
  if (cost == std::string_view::npos) return 1;
  const std::string digits(line.substr(cost + 1));
  if (digits.empty() || digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string::npos)
    return -1;
  return std::stoll(digits);
}

// What the block must be answered with where there is room for its keys, and none is asked for too often.
int32_t Expected(std::string_view text) {
  int32_t said = MEDIAGEN_OK;
  for (size_t count = 0; !text.empty(); ++count) {
    const std::string_view line = mediagen::fuzz::TakeTo('\n', &text);
    const int64_t cost = CostOf(line);
    if (cost < 0 || count == kMostChecks) return MEDIAGEN_INVALID;
    if (said != MEDIAGEN_OK) continue;
    if (line.substr(0, line.find('\t')) != "a") said = MEDIAGEN_NOT_FOUND;
    if (said == MEDIAGEN_OK && cost > kLimit) said = MEDIAGEN_INVALID;
  }
  return said;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  static mediagen_limiter* const limiter = Open();
  const std::string_view text = fuzz::Text(data, size);
  mediagen_decision decision;
  decision.struct_size = sizeof decision;
  const int32_t said = mediagen_limiter_check_all(limiter, Str(text), &decision);
  const int32_t expected = Expected(text);
  // Costs of one key are added up, and may come to more than the limit; the table may be full.
  const bool crowded = said == MEDIAGEN_OVERLOADED && expected == MEDIAGEN_OK;
  const bool summed = said == MEDIAGEN_INVALID && expected != MEDIAGEN_INVALID && text.size() > 20;
  fuzz::Require(said == expected || crowded || summed, "the block is read as it stands");
  return 0;
}
