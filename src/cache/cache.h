// A Cache keeps refcounted byte values by key, within a budget of bytes.
//
// Thread-safe. Values are immutable once put; a Get shares the stored bytes, it never copies them. Every byte
// that the cache keeps alive is charged: key, value, entry overhead, and evicted values that a reader still
// holds.
//
// Policy: W-TinyLFU (Einziger et al., ACM TOS 2017) with size-aware admission (arXiv 2105.08770); see
// memory/policy.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "base/status.h"

namespace mediagen {

enum class Admission { kAdmitted, kRefused, kTooLarge };

struct EntryOptions {
  int64_t ttl_ms = 0;             // 0: no expiry; below 0: stale already, so it is refused
  std::vector<std::string> tags;  // Invalidate(tag) drops the entry
  double cost = 1;                // of making it again, > 0; weighs in admission
};

struct CacheStats {
  uint64_t hits = 0, misses = 0;          // of Get and GetOrLoad; a wait is a miss
  uint64_t loads = 0, load_failures = 0;  // load tokens given out; loads that failed or were overdue
  uint64_t refusals = 0;                  // values that were kRefused or kTooLarge
  uint64_t evictions_size = 0, evictions_expired = 0, evictions_invalidated = 0;  // entries dropped, by cause
  uint64_t bytes = 0;         // all that is charged, pinned_bytes included; never above budget_bytes
  uint64_t pinned_bytes = 0;  // of values that were dropped while a reader still holds them
  uint64_t entries = 0, budget_bytes = 0;
};

class Cache {
 public:
  virtual ~Cache() = default;

  // The value stored under `key`, or null. Never blocks, never loads.
  virtual BufferRef Get(std::string_view key) = 0;

  // Stores `value` and says what became of it: kAdmitted, kRefused (the policy preferred its victims) or
  // kTooLarge (over the budget's largest entry). A refused value is not an error. Whatever the answer, the
  // value that stood under `key` before is gone, and what is being loaded under it at this moment is not
  // stored. A null value is refused. Bytes are charged by value.size(): an alias of a small part keeps its
  // whole owner alive uncharged.
  virtual Admission Put(std::string_view key, BufferRef value, const EntryOptions& options) = 0;

  // Whether something was there. What is being loaded under it at this moment is not stored.
  virtual bool Remove(std::string_view key) = 0;
  // Drops every entry that carries `tag`, those being loaded at this moment included.
  virtual void Invalidate(std::string_view tag) = 0;
  virtual void Clear() = 0;

  // Single-flight without callbacks into the host. One caller per key is told to load; the others wait for
  // it.
  struct Lookup {
    enum Kind { kHit, kLoad, kWait } kind = kHit;
    BufferRef value;     // kHit
    uint64_t token = 0;  // kLoad: pass it to Fill or Fail; kWait: pass it to Forget
  };
  // The end of a wait: exactly one of a value, an error, or kLoad with a token (the loader's deadline passed
  // and this waiter is promoted).
  struct Outcome {
    Status status;
    BufferRef value;
    uint64_t load_token = 0;
  };
  using Waiter = std::function<void(Outcome)>;
  // `waiter` is called once, on the thread that fills, fails or expires the load, under no lock, and only
  // when kWait was answered. The load must end within load_timeout_ms (monotonic, at least 1); then the next
  // waiter is promoted and has its own load_timeout_ms. Who asks after Remove, Put, Clear or Invalidate never
  // gets what was loaded before it. A cache that is destroyed ends its waits with kClosed; those waiters must
  // not call it.
  virtual Lookup GetOrLoad(std::string_view key, int64_t load_timeout_ms, Waiter waiter) = 0;
  // Ends a load. kStale when the token has expired or the key was invalidated meanwhile: waiters got the
  // value, nothing was stored (invalidated), or nothing happened (expired). kInvalid for a null value: the
  // load goes on. A value that the policy refuses is OK.
  virtual Status Fill(uint64_t token, BufferRef value, const EntryOptions& options) = 0;
  // Ends a load with `error` for every waiter; nothing is stored. kStale when the token has expired. kInvalid
  // when `error` is OK: the load goes on.
  virtual Status Fail(uint64_t token, Status error) = 0;
  // The waiter does not want its outcome any more. An outcome that another thread is delivering still
  // arrives.
  virtual void Forget(uint64_t wait_token) = 0;
  // Promotes waiters whose loader is overdue, drops expired entries and lets go of values that no reader
  // holds any more; to be called now and then (the engine's executor, or any caller of an engine-less cache).
  // Returns the monotonic ms at which it wants to be called next, or INT64_MAX.
  virtual int64_t Sweep() = 0;

  virtual CacheStats Stats() const = 0;
};

}  // namespace mediagen
