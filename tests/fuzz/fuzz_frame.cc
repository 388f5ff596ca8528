// What a value of the cache's second level is in Redis: as it comes from there, and as it is written.
#include "cache/redis/frame.h"
#include "fuzz/input.h"

namespace {

constexpr uint64_t kMost = 1 << 20;

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  std::string_view rest = fuzz::Text(data, size);
  const std::string_view key = fuzz::TakeTo('\n', &rest);
  const auto kept = tiered::DecodeFrame(key, rest, 1000, kMost);
  if (kept.ok() && kept->value) fuzz::Require(kept->value.size() <= kMost, "the bound of a value");

  EntryOptions options;
  options.ttl_ms = 1000;
  options.tags = {std::string(key)};
  const auto frame = tiered::EncodeFrame(key, {BufferRef::Copy(rest), options});
  if (!frame) return 0;
  const auto again = tiered::DecodeFrame(key, *frame, 1000, kMost);
  fuzz::Require(again.ok() && again->value.view() == rest && again->options.tags == options.tags,
                "what is written is read");
  std::string other(key);
  other += '!';
  fuzz::Require(!tiered::DecodeFrame(other, *frame, 1000, kMost).ok(), "a value is its key's");
  return 0;
}
