#include "base/id.h"

#include <sys/random.h>

#include <cstring>

#include "fmt/format.h"

namespace mediagen {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class KernelRandom final : public Random {
 public:
  void Fill(void* data, size_t size) override {
    auto* p = static_cast<char*>(data);
    while (size > 0) {
      ssize_t got = getrandom(p, size, 0);
      if (got <= 0) continue;  // EINTR; the pool is ready long before any process of ours starts
      p += got;
      size -= static_cast<size_t>(got);
    }
  }
};

class SplitMix final : public Random {
 public:
  explicit SplitMix(uint64_t seed) : state_(seed) {}
  void Fill(void* data, size_t size) override {
    std::lock_guard lock(mutex_);
    auto* p = static_cast<char*>(data);
    while (size > 0) {
      uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
      z ^= z >> 31;
      size_t n = size < 8 ? size : 8;
      std::memcpy(p, &z, n);
      p += n;
      size -= n;
    }
  }

 private:
  std::mutex mutex_;
  uint64_t state_;
};

}  // namespace

std::string Id::text() const {
  std::string out(kTextSize, '-');
  WriteText(out.data());
  return out;
}

void Id::WriteText(char* out) const {
  static constexpr char kHex[] = "0123456789abcdef";
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = kHex[bytes[i] >> 4];
    *out++ = kHex[bytes[i] & 15];
  }
}

StatusOr<Id> Id::Parse(std::string_view text) {
  auto bad = [&] {
    return Error(Code::kInvalid,
                 fmt::format("\"{}\" is not an id; ids look like 01932c5e-7d3a-7000-8000-000000000000.",
                             Shorten(text, 60)));
  };
  if (text.size() != 36) return bad();
  Id id;
  size_t byte = 0;
  for (size_t i = 0; i < 36;) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return bad();
      continue;
    }
    int high = HexDigit(text[i]), low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return bad();
    id.bytes[byte++] = static_cast<uint8_t>(high << 4 | low);
    i += 2;
  }
  return id;
}

Id Id::FromBlob(std::string_view blob) {
  Id id;
  if (blob.size() == 16) std::memcpy(id.bytes.data(), blob.data(), 16);
  return id;
}

Random* SystemRandom() {
  static KernelRandom* random = new KernelRandom;
  return random;
}

std::unique_ptr<Random> SeededRandom(uint64_t seed) { return std::make_unique<SplitMix>(seed); }

const uint8_t* IdSource::NextRandom() {
  constexpr size_t kSize = 9;
  if (taken_ + kSize > sizeof bytes_ || fork_.forked()) {
    random_->Fill(bytes_.data(), sizeof bytes_);
    taken_ = 0;
    fork_ = ForkGuard();
  }
  taken_ += kSize;
  return bytes_.data() + taken_ - kSize;
}

Id IdSource::Next() {
  Id id;
  int64_t ms;
  uint32_t counter;
  {
    std::lock_guard lock(mutex_);
    const uint8_t* random = NextRandom();
    std::memcpy(id.bytes.data() + 8, random + 1, 8);
    int64_t now = clock_->WallMs();
    if (now > last_ms_) {
      last_ms_ = now;
      counter_ = random[0] & 0x7F;  // start low, so that one ms holds thousands more
    } else if (++counter_ > 0xFFF) {
      ++last_ms_;
      counter_ = 0;
    }
    ms = last_ms_;
    counter = counter_;
  }
  for (int i = 0; i < 6; ++i) id.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(ms >> (40 - 8 * i));
  id.bytes[6] = static_cast<uint8_t>(0x70 | (counter >> 8));
  id.bytes[7] = static_cast<uint8_t>(counter);
  id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3F) | 0x80);
  return id;
}

}  // namespace mediagen
