// Hub: the tail of the event log, handed to those who may see it.
//
// Thread-safe. One reader follows the log for all subscribers; events arrive in commit order, those of other
// processes included. A subscriber that asks for what retention has cut, or for another history (epoch), or
// that is too slow, gets one "reset" and goes on from there: a gap is told, never silent.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/store.h"

namespace mediagen {

// Who looks: the host sees everything; a user sees what is theirs, and what is public.
struct Viewer {
  bool all = false;
  std::string user;
};

struct SubscriptionOptions {
  Viewer viewer;
  std::vector<std::string> topics;  // empty: all
  std::string object;               // only events about this id; "" all
  std::optional<std::string>
      after;  // an event id ("epoch:sequence") or "" for the oldest kept; absent: from now on
};

// One event as its document, with what SSE needs beside it.
struct Delivery {
  std::string id;      // "e1:1043"; "" for ephemeral ones
  std::string type;    // "generation.progress", "reset"
  std::string object;  // the id that it is about; "" for none
  BufferRef document;  // documents.md "Event"
};

class Subscription {
 public:
  virtual ~Subscription() = default;
  enum class Next { kEvent, kEmpty, kEnd };
  virtual Next Pull(Delivery* out) = 0;
  // Called from a thread of the hub when something came after a kEmpty, and once at the end. Set before the
  // first Pull; must be quick.
  virtual void OnReadable(std::function<void()> readable) = 0;
  // The id up to which this subscriber has seen everything that it may see: what a heartbeat says.
  virtual std::string Position() = 0;
  virtual void Close() = 0;
};

struct HubOptions {
  size_t backlog = 1000;  // undelivered events a subscriber; progress coalesces first, then reset
  int64_t retention_ms = 86'400'000;
};

class Hub {
 public:
  // All pointers must outlive it. The store's OnWake must reach Poke() (engine/wiring does that).
  static std::unique_ptr<Hub> New(Store* store, Executor* executor, Clock* clock, Metrics* metrics,
                                  LogSink* log, const HubOptions& options);
  virtual ~Hub() = default;

  // Reads where the log stands. Once, before the first Subscribe.
  virtual Status Start() = 0;
  // kInvalid for a malformed `after`.
  virtual StatusOr<std::shared_ptr<Subscription>> Subscribe(const SubscriptionOptions& options) = 0;
  // There may be new events.
  virtual void Poke() = 0;
  // An event without row, id or resume (topic "logs"): only to viewers with `all`.
  virtual void PublishEphemeral(std::string_view topic, std::string_view type, std::string data_json) = 0;
  // Deletes events past retention, a bounded number a call.
  virtual Status Prune() = 0;
  // Ends every subscription.
  virtual void Stop() = 0;
};

// "e1:1042" ⇄ (epoch, sequence). kInvalid otherwise.
std::string EventId(std::string_view epoch, int64_t sequence);
struct EventPosition {
  std::string epoch;
  int64_t sequence = 0;
};
StatusOr<EventPosition> ParseEventId(std::string_view text);

}  // namespace mediagen
