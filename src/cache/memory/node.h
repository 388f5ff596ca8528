// Node: what a policy sees of an entry: its links, hash and charge, and a few bits of the policy's own.
//
// Not thread-safe: its shard's lock guards it.
#pragma once

#include <cstdint>

namespace mediagen::memory_cache {

enum class Segment : uint8_t { kNone, kWindow, kProbation, kProtected };  // kNone: in no queue

struct Node {
  Node* prev = nullptr;  // towards the queue's head
  Node* next = nullptr;
  uint64_t hash = 0;    // of the key, seeded
  uint64_t charge = 0;  // bytes: key, value, overhead
  uint32_t key_size = 0;
  Segment segment = Segment::kNone;
  uint8_t mark = 0;   // the policy's own: 0 in a new node
  uint8_t stamp = 0;  // the policy's own: 0 in a new node
  uint8_t flags = 0;  // the shard's own (entry.h)
};
static_assert(sizeof(Node) == 40);

}  // namespace mediagen::memory_cache
