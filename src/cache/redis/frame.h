// How a value lies in Redis: what its tags are, how it is kept, its bytes, and a checksum over all of it.
//
//   "mgc1", run (16), sequence number (16 digits)     set and read by the scripts; see scripts.cc
//   then, big-endian, what this file makes and reads:
//   u16 tags, each u16 size + bytes; u8 flags; u64 cost (IEEE 754); u64 ttl ms; u64 soft ttl ms; u64 size;
//   the bytes, zstd's when that is a tenth less; u64 XXH3 of all before it, seeded by the key
//
// What comes out of Redis is not trusted: nothing is read past its end, nothing larger than the bound is
// allocated. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/cache.h"

namespace mediagen::tiered {

// What a value is stored with. A ttl of 0 does not come here: nothing is in Redis for ever.
struct Kept {
  BufferRef value;  // null: a negative entry without one
  EntryOptions options;
};

// Null when the tags do not fit (65,535 of them, of as many bytes each).
std::optional<std::string> EncodeFrame(std::string_view key, const Kept& kept);

// `left_ms` is what is left of its life in Redis; the times of the result are what is left of both ttls.
// kCorrupt for what EncodeFrame did not make under this key, kTooLarge for more than `max_bytes`.
StatusOr<Kept> DecodeFrame(std::string_view key, std::string_view frame, int64_t left_ms, uint64_t max_bytes);

}  // namespace mediagen::tiered
