// HeldJobs: what this worker has claimed and not yet released. The rows are the truth; this table only saves
// reads, routes cancels and counts.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/text.h"
#include "jobs/queue.h"

namespace mediagen {

// Thread-safe.
class HeldJobs {
 public:
  explicit HeldJobs(Metrics* metrics) : metrics_(metrics) {}

  // After the claim has committed.
  void Insert(const Job& job);
  // Inside the transaction of a Finish: the release that follows its commit may drop the entry, if the claim
  // still is this one.
  void MarkFinished(const Id& id, uint64_t fence, Outcome::Kind kind);
  // After the commit of a Finish. An id that was claimed again since then stays.
  void Release(const Id& id);
  // Taken away, not finished.
  void Drop(const Id& id, uint64_t fence);
  void Clear();
  // Drops every entry of `before` that `rows` (read after `before` was made) does not hold: a release that
  // never came.
  using Claims = std::vector<std::pair<Id, uint64_t>>;
  void Reconcile(const Claims& before, const std::vector<Job>& rows);

  Claims All() const;
  bool Has(const Id& id, uint64_t fence) const;
  int CountOf(std::string_view queue) const;
  size_t size() const;
  // The claim, when it still is this one and its job may end without being read: nobody waits for its end.
  std::optional<ClaimedJob> Plain(const Id& id, uint64_t fence) const;
  // The queue of a held job whose holder was not told yet to cancel; from now on it was.
  std::optional<std::string> TellCancel(const Id& id);

 private:
  struct Entry {
    ClaimedJob claim;
    bool plain = false;
    bool cancel_told = false;
    std::optional<Outcome::Kind> finished;
  };
  struct Series {
    int count = 0;
    Gauge held;
    Counter claimed;
    std::array<Counter, 5> finished;  // by Outcome::Kind
  };
  using Entries = std::map<Id, Entry>;

  Series& SeriesOf(const std::string& queue);
  Entries::iterator Erase(Entries::iterator entry, bool count_as_finished);

  Metrics* const metrics_;
  mutable std::mutex mutex_;
  Entries entries_;
  StringMap<Series> series_;
};

}  // namespace mediagen
