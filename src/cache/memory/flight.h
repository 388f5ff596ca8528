// Flights: the loads of a shard that are under way, and who waits for each (single-flight).
//
// Not thread-safe: the shard's lock guards it; it calls nobody back.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/text.h"
#include "cache/cache.h"
#include "cache/memory/entry.h"

namespace mediagen::memory_cache {

struct Waiting {
  Cache::Waiter waiter;
  int64_t load_ms = 0;      // its own, should it become the loader
  int64_t deadline_ms = 0;  // then it ends with kTimeout
  uint64_t joined = 0;      // the invalidation generation at which it began to wait
};

using WaitList = std::map<uint64_t, Waiting>;  // by wait token: oldest first

struct Flight {
  std::string key;
  uint64_t hash = 0;
  uint64_t token = 0;
  uint64_t begun = 0;  // the invalidation generation at which it began
  int64_t begun_ms = 0, deadline_ms = 0;
  uint64_t reserved_bytes = 0;
  bool attached =
      true;  // false: overtaken by Remove, Put or Clear; nobody joins it, and nothing of it is stored
  WaitList waiting;
};

class Flights {
 public:
  // There must be no attached flight of that key.
  Flight* Begin(HashedKey key, uint64_t token, uint64_t begun, int64_t now_ms, int64_t deadline_ms);
  // Takes it out, with its waits.
  std::unique_ptr<Flight> End(Flight* flight);

  Flight* ByToken(uint64_t token) const;
  Flight* Attached(std::string_view key) const;
  void Detach(std::string_view key);
  void DetachPrefix(std::string_view prefix);
  void DetachAll();

  void Wait(Flight* flight, uint64_t wait_token, Waiting waiting);
  // Takes the wait out, into `*waiter`. Whether there was one.
  bool Forget(uint64_t wait_token, Cache::Waiter* waiter);

  // Takes out one wait whose deadline has come. Whether there was one.
  bool TakeOverdueWait(int64_t now_ms, Cache::Waiter* waiter);

  // The flight with the earliest deadline, or null.
  Flight* Earliest() const;
  // Of flights and waits; kNever without any.
  int64_t NextDeadline() const;

 private:
  absl::flat_hash_map<uint64_t, std::unique_ptr<Flight>> flights_;  // by token
  StringMap<Flight*> attached_;
  std::set<std::pair<int64_t, uint64_t>> deadlines_;  // deadline, token
  std::set<std::pair<int64_t, uint64_t>> impatient_;  // the waits that have a deadline: it and their token
  absl::flat_hash_map<uint64_t, Flight*> waits_;      // by wait token
};

}  // namespace mediagen::memory_cache
