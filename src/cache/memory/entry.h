// Entry: one key of the memory cache, its value, and the links by which queue, expiry index and tags find it.
//
// Not thread-safe: its shard's lock guards it. One allocation holds the struct and, behind it, the key.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "cache/memory/node.h"

namespace mediagen::memory_cache {

struct Tag;

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

struct Entry : Node {
  Entry* expiry_prev = nullptr;
  Entry* expiry_next = nullptr;
  int64_t expires_ms = kNever;
  BufferRef value;
  std::unique_ptr<std::vector<Tag*>> tags;
  float cost = 1;

  static Entry* New(std::string_view key, uint64_t hash) {
    void* memory = ::operator new(sizeof(Entry) + key.size());
    auto* entry = new (memory) Entry;
    entry->hash = hash;
    entry->key_size = static_cast<uint32_t>(key.size());
    if (!key.empty()) std::memcpy(entry->key_data(), key.data(), key.size());
    return entry;
  }
  static void Delete(Entry* entry) {
    entry->~Entry();
    ::operator delete(entry);
  }

  std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_size}; }
  bool expired(int64_t now_ms) const { return expires_ms <= now_ms; }
  // Whether a reader has the value. Under the shard's lock `false` is exact: the cache has the only
  // reference, and readers get theirs under that lock. `true` may be outdated at once. (A value that its
  // putter kept is wrapped in a Buffer of the cache's own, see shard.cc, so that only readers count.)
  bool held() const { return value && value->shared(); }

 private:
  char* key_data() { return reinterpret_cast<char*>(this + 1); }
};

// What an entry costs beside its key and value: the struct, two allocator headers, its slot of the table at
// the usual load, its word of the frequency sketch, and the value's Buffer.
constexpr uint64_t kEntryOverhead = sizeof(Entry) + 2 * 8 + 16 + 8 + sizeof(Buffer);
// A bucket of the expiry index, which entries of one second share.
constexpr uint64_t kExpiryOverhead = 56;
// A tag of an entry, its name not counted: at most this, less when many entries share the tag.
constexpr uint64_t kTagOverhead = 160;
// What a value costs whose entry is gone: its Buffer and its place in the list of pinned values. Below
// kEntryOverhead, so that dropping an entry never raises the charged bytes.
constexpr uint64_t kPinnedOverhead = sizeof(Buffer) + 8 + 2 * sizeof(BufferRef);
static_assert(kPinnedOverhead < kEntryOverhead);
// The Buffer and its owner that wrap a value whose putter kept a reference.
constexpr uint64_t kWrapOverhead = sizeof(Buffer) + 8 + 32 + 8;

}  // namespace mediagen::memory_cache
