#include "limit/lease.h"

#include <cstring>
#include <limits>

#include "base/base64.h"
#include "base/hash.h"
#include "limit/limiter.h"

namespace mediagen {
namespace {

// version 1 | checksum 4 | origin 8 | id 8 | parts: rule, key (each a length and bytes), cost, until
constexpr char kVersion = 1;
constexpr size_t kChecked = 5;  // what stands before the bytes that the checksum covers
constexpr size_t kMostText = 1 << 20;

void PutNumber(uint64_t number, std::string* out) {  // LEB128
  for (; number >= 0x80; number >>= 7) out->push_back(static_cast<char>(number | 0x80));
  out->push_back(static_cast<char>(number));
}

void PutText(std::string_view text, std::string* out) {
  PutNumber(text.size(), out);
  out->append(text);
}

void PutFixed(uint64_t number, size_t bytes, std::string* out) {
  for (size_t i = 0; i < bytes; ++i) out->push_back(static_cast<char>(number >> (8 * i)));
}

struct Reader {
  std::string_view rest;
  bool ok = true;

  uint64_t Fixed(size_t bytes) {
    if (rest.size() < bytes) return Fail();
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; ++i) number |= uint64_t{static_cast<uint8_t>(rest[i])} << (8 * i);
    rest.remove_prefix(bytes);
    return number;
  }
  // At most 63 bits, which is what costs, moments and lengths have.
  int64_t Number() {
    uint64_t number = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      if (rest.empty()) return static_cast<int64_t>(Fail());
      const auto byte = static_cast<uint8_t>(rest.front());
      rest.remove_prefix(1);
      number |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return static_cast<int64_t>(number);
    }
    return static_cast<int64_t>(Fail());
  }
  std::string Text() {
    const auto size = static_cast<uint64_t>(Number());
    if (!ok || size > rest.size()) return Fail(), std::string();
    std::string text(rest.substr(0, size));
    rest.remove_prefix(size);
    return text;
  }
  uint64_t Fail() {
    ok = false;
    return 0;
  }
};

Status NotALease() {
  return Error(Code::kInvalid, "The text is no lease of a rate limiter.",
               {.hint = "Give back the text that the reservation returned, unchanged."});
}

uint32_t Checksum(std::string_view bytes) { return static_cast<uint32_t>(Xxh3(bytes.substr(kChecked))); }

}  // namespace

std::string LimitLease::Encode() const {
  if (parts.empty()) return {};
  std::string bytes(kChecked, kVersion);
  PutFixed(origin, 8, &bytes);
  PutFixed(id, 8, &bytes);
  for (const Part& part : parts) {
    PutText(part.rule, &bytes);
    PutText(part.key, &bytes);
    PutNumber(static_cast<uint64_t>(part.cost), &bytes);
    PutNumber(static_cast<uint64_t>(part.until_us), &bytes);
  }
  std::string sum;
  PutFixed(Checksum(bytes), 4, &sum);
  bytes.replace(1, 4, sum);
  return Base64UrlEncode(bytes);
}

StatusOr<LimitLease> LimitLease::Parse(std::string_view text) {
  LimitLease lease;
  if (text.empty()) return lease;
  if (text.size() > kMostText) return NotALease();
  auto bytes = Base64UrlDecode(text);
  if (!bytes.ok() || bytes->size() <= kChecked || bytes->front() != kVersion) return NotALease();
  Reader reader{std::string_view(*bytes).substr(1)};
  if (reader.Fixed(4) != Checksum(*bytes)) return NotALease();
  lease.origin = reader.Fixed(8);
  lease.id = reader.Fixed(8);
  while (reader.ok && !reader.rest.empty()) {
    if (lease.parts.size() == kMostLimitChecks) return NotALease();
    Part& part = lease.parts.emplace_back();
    part.rule = reader.Text();
    part.key = reader.Text();
    part.cost = reader.Number();
    part.until_us = reader.Number();
    if (part.cost < 1) return NotALease();
  }
  if (!reader.ok || lease.parts.empty()) return NotALease();
  return lease;
}

}  // namespace mediagen
