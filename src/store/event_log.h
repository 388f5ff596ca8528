// EventLog: what happened, in commit order. Rows are written in the transaction that causes them; the tail is
// read by events/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace mediagen {

struct Event {
  int64_t sequence = 0;     // given by Append
  std::string topic, type;  // "generations", "generation.progress"
  std::string object;       // id text, or ""
  std::string user;         // whose; "" : nobody's (visible to the host only)
  std::string visibility = "private";
  std::string data_json = "{}";
  int64_t at_ms = 0;  // wall
};

// A view into one transaction or snapshot.
class EventLog {
 public:
  virtual ~EventLog() = default;
  virtual StatusOr<int64_t> Append(const Event& event) = 0;
  // Up to `limit` events with sequence > after, ascending.
  virtual StatusOr<std::vector<Event>> After(int64_t after, int limit) const = 0;
  // The newest sequence ever given (0: none), and the oldest one that is still kept (newest + 1 when none
  // is).
  virtual StatusOr<int64_t> Newest() const = 0;
  virtual StatusOr<int64_t> Oldest() const = 0;
  // Deletes up to `limit` of the oldest events before `before_ms`.
  virtual StatusOr<int> Prune(int64_t before_ms, int limit) = 0;
};

}  // namespace mediagen
