#include "cache/redis/frame.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen::tiered {
namespace {

constexpr size_t kMostTagBytes = 65'535;
constexpr size_t kWorthCompressing = 1 << 10;  // less hardly shrinks, and costs a round trip's time
constexpr size_t kProbe = 4 << 10;             // what this much of a value says, the rest rarely contradicts
constexpr int kLevel = 1;  // past it zstd shrinks text a little more at several times the price

enum Flag : unsigned { kCompressed = 1, kNegative = 2, kVersioned = 4, kNull = 8 };

void PutNumber(std::string* out, uint64_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out->push_back(static_cast<char>(number >> shift));
}

// Takes what is asked for off the front, and remembers when there was too little.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}
  std::string_view Take(uint64_t size) {
    if (size > left_.size()) {
      whole_ = false;
      return left_ = {};
    }
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  uint64_t Number(int bytes) {
    uint64_t number = 0;
    for (const char byte : Take(static_cast<uint64_t>(bytes)))
      number = number << 8 | static_cast<uint8_t>(byte);
    return number;
  }
  std::string_view Rest() { return Take(left_.size()); }
  bool whole() const { return whole_; }

 private:
  std::string_view left_;
  bool whole_ = true;
};

uint64_t Checksum(std::string_view key, std::string_view bytes) { return Xxh3(bytes, Xxh3(key)); }

// Empty when it would not be a tenth less. Pictures are compressed already, which their beginning shows.
std::string Compressed(std::string_view bytes) {
  if (bytes.size() <= kWorthCompressing) return {};
  const auto squeeze = [](std::string_view part) {
    std::string out(ZSTD_compressBound(part.size()), '\0');
    const size_t size = ZSTD_compress(out.data(), out.size(), part.data(), part.size(), kLevel);
    out.resize(ZSTD_isError(size) || size > part.size() - part.size() / 10 ? 0 : size);
    return out;
  };
  if (bytes.size() > 2 * kProbe && squeeze(bytes.substr(0, kProbe)).empty()) return {};
  return squeeze(bytes);
}

StatusOr<BufferRef> Bytes(std::string_view stored, uint64_t size, bool compressed) {
  const Status corrupt =
      Error(Code::kCorrupt, "The bytes of a value in Redis are not those that were stored.");
  if (!compressed) return stored.size() == size ? StatusOr<BufferRef>(BufferRef::Copy(stored)) : corrupt;
  if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != size) return corrupt;
  std::string bytes(size, '\0');
  if (ZSTD_decompress(bytes.data(), bytes.size(), stored.data(), stored.size()) != size) return corrupt;
  return BufferRef::Own(std::move(bytes));
}

// What is left of a ttl of `whole_ms` when `left_ms` is left of the hard one; 1 when nothing is.
int64_t Left(uint64_t whole_ms, uint64_t hard_ms, int64_t left_ms) {
  const uint64_t left = static_cast<uint64_t>(left_ms);
  const uint64_t gone = hard_ms > left ? hard_ms - left : 0;
  return whole_ms > gone ? static_cast<int64_t>(std::min<uint64_t>(whole_ms - gone, INT64_MAX)) : 1;
}

}  // namespace

std::optional<std::string> EncodeFrame(std::string_view key, const Kept& kept) {
  const EntryOptions& options = kept.options;
  if (options.tags.size() > kMostTagBytes) return std::nullopt;
  std::string frame;
  PutNumber(&frame, options.tags.size(), 2);
  for (const std::string& tag : options.tags) {
    if (tag.size() > kMostTagBytes) return std::nullopt;
    PutNumber(&frame, tag.size(), 2);
    frame += tag;
  }
  const std::string compressed = Compressed(kept.value.view());
  PutNumber(&frame,
            (compressed.empty() ? 0u : kCompressed) | (options.negative ? kNegative : 0u) |
                (options.versioned ? kVersioned : 0u) | (kept.value ? 0u : kNull),
            1);
  PutNumber(&frame, std::bit_cast<uint64_t>(options.cost), 8);
  PutNumber(&frame, static_cast<uint64_t>(options.ttl_ms), 8);
  PutNumber(&frame, static_cast<uint64_t>(std::max<int64_t>(options.soft_ttl_ms, 0)), 8);
  PutNumber(&frame, kept.value.size(), 8);
  frame += compressed.empty() ? kept.value.view() : std::string_view(compressed);
  PutNumber(&frame, Checksum(key, frame), 8);
  return frame;
}

StatusOr<Kept> DecodeFrame(std::string_view key, std::string_view frame, int64_t left_ms,
                           uint64_t max_bytes) {
  const Status corrupt = Error(Code::kCorrupt, "A value in Redis is not one that this cache has stored.");
  if (frame.size() < 8 || left_ms < 1) return corrupt;
  const std::string_view summed = frame.substr(0, frame.size() - 8);
  if (Reader(frame.substr(summed.size())).Number(8) != Checksum(key, summed)) return corrupt;
  Reader reader(summed);
  Kept kept;
  for (uint64_t tags = reader.Number(2); tags > 0 && reader.whole(); --tags) {
    kept.options.tags.emplace_back(reader.Take(reader.Number(2)));
  }
  const uint64_t flags = reader.Number(1);
  kept.options.cost = std::bit_cast<double>(reader.Number(8));
  const uint64_t hard_ms = reader.Number(8), soft_ms = reader.Number(8), size = reader.Number(8);
  const std::string_view stored = reader.Rest();
  if (!reader.whole() || flags > (kCompressed | kNegative | kVersioned | kNull)) return corrupt;
  if (!std::isfinite(kept.options.cost) || kept.options.cost <= 0) return corrupt;
  if (size > max_bytes) {
    return Error(Code::kTooLarge,
                 fmt::format("A value in Redis has {} bytes; {} are the most.", size, max_bytes));
  }
  kept.options.negative = (flags & kNegative) != 0;
  kept.options.versioned = (flags & kVersioned) != 0;
  kept.options.ttl_ms = std::min(left_ms, Left(hard_ms, hard_ms, left_ms));
  if (soft_ms != 0) kept.options.soft_ttl_ms = Left(soft_ms, hard_ms, left_ms);
  if ((flags & kNull) != 0) return kept.options.negative ? StatusOr<Kept>(std::move(kept)) : corrupt;
  ASSIGN_OR_RETURN(kept.value, Bytes(stored, size, (flags & kCompressed) != 0));
  return kept;
}

}  // namespace mediagen::tiered
