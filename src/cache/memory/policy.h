// Policy: which entries of a shard stay. It orders them and names victims; it frees nothing.
//
// Not thread-safe: the shard's lock guards it. Nodes belong to the shard and stay valid until it was told
// Remove() or named them as evicted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cache/memory/node.h"

namespace mediagen::memory_cache {

// The bounds of a shard, both of which hold.
struct Room {
  uint64_t bytes = std::numeric_limits<uint64_t>::max();
  uint64_t entries = std::numeric_limits<uint64_t>::max();
};

// What a policy must know of an entry and cannot see in its node. Asked only about candidates and victims.
class Judge {
 public:
  virtual ~Judge() = default;
  // A reader has the value, so that dropping the entry would free nothing.
  virtual bool Held(const Node& node) const = 0;
  virtual bool Expired(const Node& node) const = 0;
  virtual double Cost(const Node& node) const = 0;  // of making it again, > 0; 1 unless the caller said so
};

class Policy {
 public:
  virtual ~Policy() = default;

  // Lookups found these, oldest lookup first. Nodes may stand in it more than once; all are in its queues.
  virtual void Hit(std::span<Node* const> nodes) = 0;
  // A lookup found nothing: it counts towards the key's admission later.
  virtual void Miss(uint64_t hash) = 0;

  // Takes in `node`, which is in no queue, and appends to `evicted` whom to drop so that what stays is within
  // `room`; those are in no queue any more. `node` itself may be among them: refused. Held nodes are never
  // named. Before the call everything must be within `room`, which may differ from call to call.
  virtual void Add(Node* node, const Room& room, std::vector<Node*>* evicted) = 0;
  // Appends whom to drop so that what stays is within `room`. False, and nobody is named, when what is held
  // makes that impossible.
  virtual bool Shrink(const Room& room, std::vector<Node*>* evicted) = 0;

  // Forgets a node that was dropped for another reason.
  virtual void Remove(Node* node) = 0;

  // Of all nodes in its queues.
  virtual uint64_t bytes() const = 0;
  virtual uint64_t entries() const = 0;
};

// Each takes a judge that must outlive the policy, and how many bytes it may take for itself, beside what
// entries are charged for it (entry.h); docs/cache-policies.md compares them.
using PolicyFactory = std::unique_ptr<Policy>(const Judge* judge, uint64_t own_bytes);

// W-TinyLFU (Einziger, Friedman, Manes, ACM TOS 2017): a window of new entries, whose size adapts, then a
// segmented LRU into which a candidate comes when it is wanted more often, for its cost and size, than the
// victims that it needs (size-aware admission after arXiv 2105.08770; segments.cc).
PolicyFactory NewTinyLfu;
// What it should have of its own beside a budget: enough, or a 32nd where that is less, or nothing.
uint64_t TinyLfuOwnBytes(uint64_t budget_bytes);

// What was found or stored least recently goes.
PolicyFactory NewLru;

// S3-FIFO (Yang et al., SOSP 2023): a small queue of new entries, a main one with up to three second chances,
// and a ghost queue of the hashes that left the small one.
PolicyFactory NewS3Fifo;

}  // namespace mediagen::memory_cache
