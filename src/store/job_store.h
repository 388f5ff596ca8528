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

// The states in which a job holds its unique key, as bits (1 << state).
constexpr uint32_t StateBit(JobState state) { return 1u << static_cast<uint32_t>(state); }
constexpr uint32_t kActiveStates = StateBit(JobState::kScheduled) | StateBit(JobState::kReady) |
                                   StateBit(JobState::kWaiting) | StateBit(JobState::kRunning) |
                                   StateBit(JobState::kParked);

constexpr bool IsEnded(JobState state) {
  return state == JobState::kDone || state == JobState::kDead || state == JobState::kCanceled;
}

struct Job {
  Id id;
  std::string queue, kind, user;
  JobState state = JobState::kReady;
  // keys.provider and keys.model of the document: what per-key concurrency counts; "" none.
  std::string provider_key, model_key;
  std::string payload_json = "{}";
  int priority = 0;        // higher first
  int64_t run_at_ms = -1;  // wall; set by the user only
  int64_t due_mono = -1;   // backoff and deferral; -1 none
  uint64_t fence = 0;
  int tries = 0;                 // retries and crashed claims only
  int max_tries = -1;            // -1: its queue's
  int cost = 1;                  // of its queue's rate
  int64_t timeout_ms = 900'000;  // renewal of this job stops after it without a heartbeat or progress
  std::string progress_json, result_json, error_json, checkpoint_json;
  std::string result_blob;  // the key under which a large result is; result_json describes it then
  std::string unique_key;   // "" none
  uint32_t unique_states = kActiveStates;  // where it holds that key
  Id parent;
  int64_t units = 1, units_done = 0;  // its share of its parent's progress
  Id worker;                          // of the claim; empty when nobody's
  int64_t alive_mono = -1;            // of a claimed job: its last claim, heartbeat or progress
  bool cancel_requested = false;
  int64_t created_ms = 0, finished_ms = -1;  // wall
  int64_t row = 0;                           // of a claim: where its store has it, a hint
};

// A claim as its holder remembers it: enough to end the job without reading its row.
struct ClaimedJob {
  Id id, worker;
  uint64_t fence = 0;
  std::string queue, user, provider_key, model_key;
  int priority = 0;
  int64_t row = 0;
};

// A queue's limits as a claim applies them; counted from running + parked jobs of all workers.
struct ClaimLimits {
  int concurrency = 3;
  int per_provider = 0;  // 0: unlimited
  int per_model = 0;
  int per_user = 0;
  // What the jobs claimed may cost together, and what one is taken to cost at most; -1: no rate.
  int64_t cost_left = -1, cost_cap = 0;
};

// A parent's children, counted in the transactions that move them.
struct Family {
  Id parent;
  int64_t children = 0, pending = 0, failed = 0, canceled = 0;
  int64_t units = 0, units_done = 0;
  bool fail_fast = true;  // onChildFailure "fail": the first failure ends the parent
  bool run_after = true;  // false: the parent ends with its children and is never claimed
};

// What a queue's rate and retry budget remember, in the monotonic time of `boot`; jobs/pace.h gives it
// meaning.
struct Pace {
  std::string boot, claims;
  int64_t retry_us = 0;
};

// Settings that were changed at run time: a document over those of the configuration.
struct StoredSettings {
  std::string queue, document_json;
};

struct JobLogLine {
  int64_t sequence = 0;  // of the job, from 1
  int64_t at_ms = 0;     // wall
  std::string level, message;
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
  // Ends a running job as done, without reading it: most jobs end so. False, and nothing is changed, when its
  // row is not as `claimed` says, or when a parent or a unique key hangs on its end: then Find and Update.
  virtual StatusOr<bool> EndClaimed(const ClaimedJob& claimed, const std::string& result_json,
                                    int64_t finished_ms) = 0;
  // Claims up to `max` ready jobs of `queue` in order (priority descending, lane turn, time, id) within
  // `limits`: state running, fence + 1, worker, alive_mono. `too_dear`, when given, gets the cost of the job
  // at which limits.cost_left ended the claim, else 0.
  virtual StatusOr<std::vector<Job>> Claim(std::string_view queue, int max, const ClaimLimits& limits,
                                           const Id& worker, int64_t now_mono,
                                           int64_t* too_dear = nullptr) = 0;
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
  virtual StatusOr<std::map<std::string, std::map<JobState, int64_t>>> Counts() const = 0;  // of all queues
  // Deletes up to `limit` finished (done, dead, canceled) rows that finished before `before_ms`, with their
  // log lines; `blobs` gets the keys of their results. Looks, in the order of ids, at some rows behind *after
  // (empty: from the first one), which becomes the last one that was looked at, or empty when there are no
  // more.
  virtual StatusOr<int> Prune(std::string_view queue, JobState state, int64_t before_ms, int limit, Id* after,
                              std::vector<std::string>* blobs) = 0;

  virtual Status PutFamily(const Family& family) = 0;  // insert or replace
  virtual StatusOr<std::optional<Family>> FindFamily(const Id& parent) const = 0;
  virtual StatusOr<std::vector<Job>> ChildrenOf(const Id& parent, const Id& after, int limit) const = 0;

  virtual StatusOr<Pace> PaceOf(std::string_view queue) const = 0;
  virtual Status PutPace(std::string_view queue, const Pace& pace) = 0;

  // "" takes the queue's out. Every change raises the version.
  virtual Status PutSettings(const StoredSettings& settings) = 0;
  virtual StatusOr<std::vector<StoredSettings>> Settings() const = 0;
  virtual StatusOr<int64_t> SettingsVersion() const = 0;

  // Keeps the last `keep` lines of the job; their sequence goes on.
  virtual Status AppendLog(const Id& job, int64_t at_ms, std::string_view level, std::string_view message,
                           int keep) = 0;
  virtual StatusOr<std::vector<JobLogLine>> LogOf(const Id& job, int64_t after, int limit) const = 0;

  virtual Status PutWorker(const Worker& worker) = 0;  // insert or replace
  virtual StatusOr<std::vector<Worker>> Workers() const = 0;
  virtual Status RemoveWorker(const Id& worker) = 0;
};

}  // namespace mediagen
