// JobStore: the rows of jobs and workers. Queue semantics (what a retry means, when a lease is dead) stand
// one floor up, in jobs/.
//
// A view into one transaction or snapshot, like Records. Times named mono are CLOCK_MONOTONIC ms of the boot
// they were written in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/status.h"

namespace mediagen {

// waiting: for its children. dead: the dead letter; kept, listable, retryable.
enum class JobState { kScheduled, kReady, kWaiting, kRunning, kParked, kDone, kDead, kCanceled };
std::string_view JobStateName(JobState state);
StatusOr<JobState> JobStateByName(std::string_view name);

struct Job {
  Id id;
  std::string queue, kind, user;
  JobState state = JobState::kReady;
  std::string provider_key;  // keys.provider of the document: what per-key concurrency counts; "" none
  std::string payload_json = "{}";
  int priority = 0;        // higher first
  int64_t run_at_ms = -1;  // wall; set by the user only
  int64_t due_mono = -1;   // backoff and deferral; -1 none
  uint64_t fence = 0;
  int tries = 0;                 // retries and crashed claims only
  int64_t timeout_ms = 900'000;  // renewal of this job stops after it without a heartbeat or progress
  std::string progress_json, result_json, error_json, checkpoint_json;
  std::string unique_key;  // "" none; nulled on leaving the active states
  Id parent;
  Id worker;                // of the claim; empty when nobody's
  int64_t alive_mono = -1;  // of a claimed job: its last claim, heartbeat or progress
  bool cancel_requested = false;
  int64_t created_ms = 0, finished_ms = -1;  // wall
};

// A queue's limits as a claim applies them; counted from running + parked jobs of all workers.
struct ClaimLimits {
  int concurrency = 3;
  int per_provider = 0;  // 0: unlimited
  int per_user = 0;
};

struct Worker {
  Id id;
  std::string boot_id;
  int64_t lease_until_mono = 0;
  int64_t started_ms = 0;  // wall
  std::string host;        // informational: "hostname:pid"
};

class JobStore {
 public:
  virtual ~JobStore() = default;

  // The id under which it stands: its own, or that of the active job that holds its unique_key.
  virtual StatusOr<Id> Insert(const Job& job) = 0;
  virtual StatusOr<std::optional<Job>> Find(const Id& id) const = 0;
  // Every mutable column, when the row's fence still is `fence`; kStaleFence otherwise, kNotFound when gone.
  virtual Status Update(const Job& job, uint64_t fence) = 0;
  // Claims up to `max` ready jobs of `queue` in order (priority descending, lane turn, time, id) within
  // `limits`: state running, fence + 1, worker, alive_mono.
  virtual StatusOr<std::vector<Job>> Claim(std::string_view queue, int max, const ClaimLimits& limits,
                                           const Id& worker, int64_t now_mono) = 0;
  // Whether a claim might find something: reads one index entry, so that an empty claim writes nothing.
  virtual StatusOr<bool> HasReady(std::string_view queue) const = 0;
  // How many jobs of `queue` stand before this ready job in the order (its queuePosition, 0-based); -1 when
  // it is not ready, or when more than `most_ready` jobs of the queue are: counting reads as many entries as
  // there are jobs of this user and lanes of others.
  virtual StatusOr<int64_t> PositionOf(const Id& id, int64_t most_ready) const = 0;
  // scheduled → ready where due (either clock; a due_mono of another boot is due at once). How many.
  virtual StatusOr<int> PromoteDue(int64_t now_ms, int64_t now_mono, std::string_view boot_id, int limit) = 0;
  // When the next scheduled job is due: ms from now on either clock, or -1 when there is none.
  virtual StatusOr<int64_t> NextDueIn(int64_t now_ms, int64_t now_mono) const = 0;
  // Jobs claimed by `worker`, running or parked.
  virtual StatusOr<std::vector<Job>> HeldBy(const Id& worker) const = 0;
  // Those of them that were asked to cancel.
  virtual StatusOr<std::vector<Id>> CancelRequested(const Id& worker) const = 0;
  virtual StatusOr<std::vector<Job>> List(const std::optional<std::string>& queue,
                                          const std::optional<JobState>& state, const Id& after,
                                          int limit) const = 0;
  virtual StatusOr<std::map<JobState, int64_t>> CountByState(std::string_view queue) const = 0;
  // Deletes up to `limit` finished (done, dead, canceled) rows that finished before `before_ms`.
  virtual StatusOr<int> Prune(std::string_view queue, JobState state, int64_t before_ms, int limit) = 0;

  virtual Status PutWorker(const Worker& worker) = 0;  // insert or replace
  virtual StatusOr<std::vector<Worker>> Workers() const = 0;
  virtual Status RemoveWorker(const Id& worker) = 0;
};

}  // namespace mediagen
