// Entry: one key of the memory cache and its value, in one allocation.
//
//   Entry | Details, when it has any | key, padded to 8 | the value: a Buffer with its bytes, or a Buffer*
//
// A value of up to kMostEmbedded bytes is copied into the entry's own block: one allocation, one cache line
// less to touch for each hit, and 100 bytes less for each small entry. A reader of such a value keeps the
// block alive. A larger value is shared with whoever put it, never copied.
//
// Not thread-safe: its shard's lock guards it, but for the Buffer's own reference count.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "cache/memory/node.h"

namespace mediagen::memory_cache {

struct Tag;
struct Entry;

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr size_t kMostEmbedded = 1024;  // copying it costs less than another allocation and a cache miss

// A key and its hash, which the cache computes once.
struct HashedKey {
  std::string_view text;
  uint64_t hash;
};

// What few entries have.
struct Details {
  int64_t expires_ms = kNever;   // hard
  int64_t stale_at_ms = kNever;  // soft
  int64_t retry_ms = 0;          // after a failed refresh …
  int64_t retry_at_ms = 0;       // … so long nobody is asked for another
  Entry* expiry_prev = nullptr;
  Entry* expiry_next = nullptr;
  std::unique_ptr<std::vector<Tag*>> tags;
  double cost = 1;
};

struct Entry : Node {
  // Bits of Node::flags. An entry with none of them is answered without another look.
  enum : uint8_t { kDetailed = 1, kNegative = 2, kEmbedded = 4, kVersioned = 8 };
  // Three bits more: the entry's colour (shard.h, InvalidatePrefix).
  static constexpr int kColourShift = 4;
  static constexpr uint8_t kColours = 8;
  static constexpr uint8_t kColourMask = (kColours - 1) << kColourShift;

  // `value` is not null.
  static Entry* New(HashedKey key, BufferRef value, bool detailed);
  // What is left of an entry that is in no structure any more. The value is the caller's now: the last
  // reference to an embedded one frees the block.
  static BufferRef Retire(Entry* entry);

  Details* details() { return (flags & kDetailed) != 0 ? reinterpret_cast<Details*>(this + 1) : nullptr; }
  const Details* details() const { return const_cast<Entry*>(this)->details(); }
  std::string_view key() const {
    return {reinterpret_cast<const char*>(this + 1) + ((flags & kDetailed) != 0 ? sizeof(Details) : 0),
            key_size};
  }
  const Buffer* buffer() const {
    const char* tail = reinterpret_cast<const char*>(this) + TailOffset((flags & kDetailed) != 0, key_size);
    return (flags & kEmbedded) != 0 ? reinterpret_cast<const Buffer*>(tail)
                                    : *reinterpret_cast<const Buffer* const*>(tail);
  }
  BufferRef value() const {
    const Buffer* shared = buffer();
    shared->Ref();
    return BufferRef::Adopt(shared);
  }

  int64_t expires_ms() const { return (flags & kDetailed) != 0 ? details()->expires_ms : kNever; }
  bool expired(int64_t now_ms) const { return expires_ms() <= now_ms; }
  // Whether a reader has the value. Under the shard's lock `false` is exact: the cache has the only
  // reference, and readers get theirs under that lock. `true` may be outdated at once. (A value that its
  // putter kept is wrapped in a Buffer of the cache's own, see shard.cc, so that only readers count.)
  bool held() const { return buffer()->shared(); }
  uint8_t colour() const { return static_cast<uint8_t>((flags & kColourMask) >> kColourShift); }

 private:
  static size_t TailOffset(bool detailed, size_t key_size) {
    return sizeof(Entry) + (detailed ? sizeof(Details) : 0) + (key_size + 7) / 8 * 8;
  }
};
static_assert(sizeof(Entry) == sizeof(Node) && alignof(Details) <= 8 && sizeof(Details) % 8 == 0);

// What an entry costs beside its key and value: the struct, the value's Buffer, the allocator's header and
// rounding, its slot of the table and its word of the frequency sketch.
constexpr uint64_t kEntryOverhead = sizeof(Entry) + sizeof(Buffer) + 16 + 12 + 8;
// The Buffer of a value that is not embedded, and its own allocation.
constexpr uint64_t kSharedOverhead = Buffer::kElsewhereBytes;
// A bucket of the expiry index, which entries of one second share.
constexpr uint64_t kExpiryOverhead = 56;
// A tag of an entry, its name not counted: at most this, less when many entries share the tag.
constexpr uint64_t kTagOverhead = 160;
// The Buffer and its owner that wrap a value whose putter kept a reference.
constexpr uint64_t kWrapOverhead = Buffer::kElsewhereBytes + 8 + 32 + 8;

}  // namespace mediagen::memory_cache
