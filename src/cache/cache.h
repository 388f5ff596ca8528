// A Cache keeps refcounted byte values by key, within a budget of bytes and of entries.
//
// Thread-safe. Values are immutable once put; a Get shares the stored bytes, it never copies them. Every byte
// that the cache keeps alive is charged: key, value, entry overhead, evicted values that a reader still
// holds, and what loads have reserved.
//
// Policy: W-TinyLFU (Einziger et al., ACM TOS 2017) with size-aware admission (arXiv 2105.08770); see
// memory/policy.h.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
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
  // After ttl_ms (hard) the entry is gone; 0: it does not expire; below 0: expired already, so it is refused.
  int64_t ttl_ms = 0;
  // After soft_ttl_ms it is stale: GetOrLoad still answers it, and asks one caller to refresh it. 0: as
  // ttl_ms. A failed refresh lets it stand (stale-on-error) and is tried again after a tenth of this, 1 s at
  // least.
  int64_t soft_ttl_ms = 0;
  double jitter = 0;  // 0 to 1: both are shortened by one random share of up to this, so that entries that
                      // were stored together do not expire together
  bool negative = false;  // "there is nothing under this key": GetOrLoad answers kNegative, Get null. Without
                          // a ttl_ms it lives for the cache's negative_ttl_ms
  bool versioned = false;  // the key names its content (VersionedKey, a hash): no other process can make it
                           // out of date, so it is served when their invalidations cannot be heard
  bool local = false;      // for this process's memory alone, though the cache has a second level
  double cost = 1;         // of making it again, > 0; weighs in admission
  std::vector<std::string> tags;  // Invalidate(tag) drops the entry
};

// The key of one version of `key`'s content: another one for every other pair. What is asked for with the
// version that is current now is never answered with an older one.
std::string VersionedKey(std::string_view key, std::string_view version);

struct CacheStats {
  uint64_t hits = 0, misses = 0;          // of Get and GetOrLoad; a wait is a miss
  uint64_t stale_hits = 0;                // of the hits: answered after their soft ttl
  uint64_t negative_hits = 0;             // of the hits: "there is nothing"
  uint64_t loads = 0, load_failures = 0;  // load tokens given out; loads that failed or were overdue
  uint64_t load_ms = 0;                   // that filled loads took, together
  uint64_t refusals = 0;                  // values that were kRefused or kTooLarge
  uint64_t evictions_size = 0, evictions_expired = 0, evictions_invalidated = 0;  // entries dropped, by cause
  uint64_t recent_hits = 0, recent_misses = 0;                                    // of the last five minutes
  uint64_t bytes = 0;  // all that is charged, pinned and reserved ones included; never above budget_bytes
  uint64_t pinned_bytes = 0;                   // of values that were dropped while a reader still holds them
  uint64_t reserved_bytes = 0;                 // of loads under way
  uint64_t entries = 0;                        // never above max_entries
  uint64_t budget_bytes = 0, max_entries = 0;  // max_entries 0: not bounded
  // Of a second level (cache/redis); 0 without one.
  uint64_t second_hits = 0, second_misses = 0, second_errors = 0, second_bytes_read = 0,
           second_bytes_written = 0;
};

// How long a load may take, and how long a caller waits for somebody else's. Monotonic ms, at least 1.
struct LoadOptions {
  static constexpr int64_t kForEver = std::numeric_limits<int64_t>::max();
  LoadOptions(int64_t load_timeout_ms = 30'000,  // NOLINT(google-explicit-constructor)
              int64_t wait_timeout_ms = kForEver)
      : load_ms(load_timeout_ms), wait_ms(wait_timeout_ms) {}
  int64_t load_ms, wait_ms;
  bool local = false;  // a second level is not asked: the value is stored as EntryOptions::local
};

class Cache {
 public:
  virtual ~Cache() = default;

  // The fresh value stored under `key`, or null: also when it is stale or negative. Never blocks, never
  // loads.
  virtual BufferRef Get(std::string_view key) = 0;

  // Stores `value` and says what became of it: kAdmitted, kRefused (the policy preferred its victims) or
  // kTooLarge (over the budget's largest entry). A refused value is not an error. Whatever the answer, the
  // value that stood under `key` before is gone, and what is being loaded under it at this moment is not
  // stored. A null value is refused unless it is negative. Bytes are charged by value.size(): an alias of a
  // small part keeps its whole owner alive uncharged.
  virtual Admission Put(std::string_view key, BufferRef value, const EntryOptions& options) = 0;

  // Whether something was there. What is being loaded under it at this moment is not stored.
  virtual bool Remove(std::string_view key) = 0;
  // Drops every entry that carries `tag`, or whose key begins with `prefix`, those being loaded at this
  // moment included. A prefix takes the same short time however many entries there are: they are gone at
  // once, and their bytes within the next operations and sweeps.
  virtual void Invalidate(std::string_view tag) = 0;
  // In this process alone: for a tag that only EntryOptions::local entries carry.
  virtual void InvalidateLocal(std::string_view tag) { Invalidate(tag); }
  virtual void InvalidatePrefix(std::string_view prefix) = 0;
  virtual void Clear() = 0;

  // Single-flight without callbacks into the host. One caller per key is told to load; the others wait for
  // it.
  struct Lookup {
    enum Kind { kHit, kNegative, kLoad, kWait } kind = kHit;
    BufferRef value;     // kHit; kNegative: what was put, or null
    uint64_t token = 0;  // kLoad: pass it to Fill, Fail or Abandon; kWait: pass it to Forget
    bool stale = false;  // kHit: past its soft ttl. With a token, this caller is the one to refresh it
  };
  // The end of a wait: exactly one of a value (or `negative`), an error, or kLoad with a token (the loader
  // gave up or its deadline passed, and this waiter is promoted).
  struct Outcome {
    Status status;
    BufferRef value;
    uint64_t load_token = 0;
    bool negative = false;
  };
  using Waiter = std::function<void(Outcome)>;
  // `waiter` is called once, on the thread that fills, fails or expires the load, under no lock, and only
  // when kWait was answered. The load must end within its load_ms; then the next waiter is promoted and has
  // its own. A wait that is longer than its own wait_ms ends with kTimeout. Who asks after Remove, Put,
  // Clear or Invalidate never gets what was loaded before it. A cache that is destroyed ends its waits with
  // kClosed; those waiters must not call it.
  virtual Lookup GetOrLoad(std::string_view key, const LoadOptions& options, Waiter waiter) = 0;
  // Before the bytes of a load are made: charges `bytes` to the budget until the load ends, so that values
  // being loaded are within it, too. May be called again with another size. kOverloaded: the budget has no
  // room (nothing was charged); kTooLarge: no such value would be kept; kStale as for Fill.
  virtual Status Reserve(uint64_t token, uint64_t bytes) = 0;
  // Ends a load. kStale when the token has expired or the key was invalidated meanwhile: waiters got the
  // value, nothing was stored (invalidated), or nothing happened (expired). kInvalid for a null value that is
  // not negative: the load goes on. A value that the policy refuses is OK.
  virtual Status Fill(uint64_t token, BufferRef value, const EntryOptions& options) = 0;
  // Ends a load with `error` for every waiter; nothing is stored, and a stale value stays. kStale when the
  // token has expired. kInvalid when `error` is OK: the load goes on.
  virtual Status Fail(uint64_t token, Status error) = 0;
  // Ends a load without a value or an error: the next waiter is promoted, as if the load had been overdue.
  // kStale when the token has expired.
  virtual Status Abandon(uint64_t token) = 0;
  // The waiter does not want its outcome any more. An outcome that another thread is delivering still
  // arrives.
  virtual void Forget(uint64_t wait_token) = 0;
  // Promotes waiters whose loader is overdue, ends waits that took too long, drops expired and invalidated
  // entries and lets go of values that no reader holds any more; to be called now and then (the engine's
  // executor, or any caller of an engine-less cache). Returns the monotonic ms at which it wants to be called
  // next, or INT64_MAX.
  virtual int64_t Sweep() = 0;

  virtual CacheStats Stats() const = 0;
};

}  // namespace mediagen
