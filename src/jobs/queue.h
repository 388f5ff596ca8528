// Queues: durable jobs over a JobStore. One Queues is one worker: it holds a lease, a worker file, and the
// jobs that it has claimed.
//
// Thread-safe. A claim raises the job's fence; progress, heartbeat and finish show it, and a stale fence
// changes nothing and says so (kStaleFence). The lease is one row a worker, renewed by a thread of its own,
// so a host whose loop is blocked loses nothing. Whoever can lock workers/<id> knows that the worker is dead
// and returns its jobs at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/store.h"

namespace mediagen {

// `amount` in any span of per_ms, over all processes. 0: no limit.
struct Allowance {
  int64_t amount = 0, per_ms = 60'000;
};

struct RetryPolicy {
  int tries = 5;  // how many may fail and run again; the next failure leaves the job dead
  int64_t base_ms = 1000, cap_ms = 60'000;
  Allowance budget{600, 60'000};  // retries of the whole queue; those beyond it wait longer, none is lost
};

// How long finished jobs stay, and how many.
struct Keep {
  int64_t age_ms = 7 * 86'400'000, count = 100'000;
};

struct QueueSettings {
  int concurrency = 3;                                // running + parked, over all processes
  int per_provider = 0, per_model = 0, per_user = 0;  // 0: unlimited
  Allowance rate;                                     // of the jobs' costs
  int64_t timeout_ms = 900'000;
  RetryPolicy retry;
  Keep done, canceled, dead{90 * int64_t{86'400'000}, 100'000};
  bool events = false;  // job.done, job.canceled, job.progress; job.dead is always told
  bool paused = false;
};

struct NewJob {
  Id id;  // empty: a new one
  std::string queue, kind, user, provider_key, payload_json = "{}", unique_key, model_key;
  int priority = 0;
  int64_t run_at_ms = -1;   // wall; -1: now
  int64_t delay_ms = -1;    // from now, by a clock that nobody sets; not beside run_at_ms
  int64_t timeout_ms = -1;  // -1: the queue's
  int max_tries = -1;       // -1: the queue's
  int cost = 1;             // of the queue's rate; more than all of it counts as all of it
  // The states in which no second job of the queue may have the unique key: always those that wait to be
  // claimed. With a period, once in each span of that many ms (counted from 1970) at most.
  uint32_t unique_states = kActiveStates;
  int64_t unique_period_ms = 0;
  // A parent waits for its children, then it runs, or (run_after false) ends with them. The first child that
  // dies or is canceled ends a parent with fail_fast, and its other children are canceled.
  std::vector<NewJob> children;
  bool fail_fast = true, run_after = true;
  Id parent;          // adds this job to the children of one that waits for its own
  int64_t units = 1;  // the share in its parent's progress
};

// How a handler ends a job.
struct Outcome {
  enum Kind { kDone, kRetry, kDefer, kDiscard, kCancel } kind = kDone;
  int64_t after_ms = -1;    // kRetry: a hint, the backoff is at least this; kDefer: how long (burns no try)
  std::string result_json;  // kDone
  std::string reason;       // kRetry, kDiscard: kept as the job's error
  std::string result_blob;  // kDone: where a large result was stored durably; result_json describes it

  static Outcome Done(std::string result_json = "") { return {kDone, -1, std::move(result_json), "", ""}; }
  static Outcome Retry(std::string reason, int64_t after_ms = -1) {
    return {kRetry, after_ms, "", std::move(reason), ""};
  }
  static Outcome Defer(int64_t after_ms, std::string reason = "") {
    return {kDefer, after_ms, "", std::move(reason), ""};
  }
  static Outcome Discard(std::string reason) { return {kDiscard, -1, "", std::move(reason), ""}; }
  static Outcome Cancel() { return {kCancel, -1, "", "", ""}; }
};

// A claim: the right to work on one job, as long as its fence is the row's.
struct Claim {
  Job job;  // as it was claimed
  const Id& id() const { return job.id; }
  uint64_t fence() const { return job.fence; }
};

struct QueuesOptions {
  std::string dir;            // the data directory; worker files go to <dir>/workers
  int64_t lease_ms = 30'000;  // only catches frozen processes
  int64_t renew_ms = 5'000;
  int64_t scan_ms = 500;  // how often other workers' files are tried
  bool threaded = true;   // false: RunOnce drives
};

class Queues {
 public:
  virtual ~Queues() = default;

  // The settings of the configuration; what Adjust has changed lies over them.
  virtual void Configure(const std::string& queue, const QueueSettings& settings) = 0;
  virtual QueueSettings SettingsOf(const std::string& queue) const = 0;
  // The names that were configured.
  virtual std::vector<std::string> Configured() const = 0;
  // Changes settings at run time, durably and for every process: `patch` is merged (RFC 7396) into what was
  // changed before, null takes a change back. The document of the settings as they are then. kInvalid names
  // the field.
  virtual StatusOr<std::string> Adjust(Transaction& transaction, const std::string& queue,
                                       const Json& patch) = 0;

  // Inside a transaction of the caller's: wakes the queue when it commits. The id of the job that stands for
  // it (unique_key); children come with their parent or not at all.
  virtual StatusOr<Id> Enqueue(Transaction& transaction, NewJob job) = 0;

  // `handler` is called on the executor for every job claimed from `queue` and owns the claim: it must end in
  // Finish (in a transaction), now or later. `canceled` is called (on the executor) when somebody asks to
  // cancel a job that is held here, once a claim. Without a handler only cancels are routed: the jobs are for
  // ClaimAsync. Claiming starts with Start(), which must have answered before any other thread calls
  // anything.
  using Handler = std::function<void(Claim)>;
  using CancelHandler = std::function<void(Id)>;
  virtual void Serve(const std::string& queue, Handler handler, CancelHandler canceled) = 0;
  virtual Status Start() = 0;

  // For host workers: claims up to `max` jobs of `queues`; waits for the first one. `done` comes once: jobs,
  // or kCanceled/kClosed/kInvalid/kOverloaded. It comes on the executor (on the caller's thread once that has
  // stopped). The returned number cancels.
  using ClaimDone = std::function<void(StatusOr<std::vector<Claim>>)>;
  virtual uint64_t ClaimAsync(std::vector<std::string> queues, int max, ClaimDone done) = 0;
  virtual void CancelClaim(uint64_t number) = 0;

  // All of these go by fence, inside a transaction, and refuse a stale one with kStaleFence.
  virtual Status Finish(Transaction& transaction, const Id& id, uint64_t fence, const Outcome& outcome) = 0;
  // But for one thing: a job that may have been paid for and was given up (dead, unknown_outcome) may still
  // be finished as done or discarded by the claim that was its last. `taken` is called in that transaction,
  // with the row as it is then; without it such a finish is stale, too. Before Start.
  using LateEnd = std::function<Status(Transaction&, const Job&)>;
  virtual void OnLateEnd(LateEnd taken) = 0;
  virtual Status Progress(Transaction& transaction, const Id& id, uint64_t fence,
                          std::string progress_json) = 0;  // a heartbeat, too
  virtual Status Heartbeat(Transaction& transaction, const Id& id, uint64_t fence) = 0;
  // What the next try reads in Job::checkpoint_json; a heartbeat, too.
  virtual Status Checkpoint(Transaction& transaction, const Id& id, uint64_t fence,
                            std::string checkpoint_json) = 0;
  // One line of the job's log, of which the last 1,000 are kept; a heartbeat, too.
  virtual Status Log(Transaction& transaction, const Id& id, uint64_t fence, std::string_view level,
                     std::string_view message) = 0;
  // running ↔ parked: a waiting remote job holds its slot and no thread. A parked job's time limit does not
  // run.
  virtual Status Park(Transaction& transaction, const Id& id, uint64_t fence) = 0;
  virtual Status Unpark(Transaction& transaction, const Id& id, uint64_t fence) = 0;
  // Must be called once after a Finish has committed, so that the slot is used again at once. Harmless when
  // the job was taken away or claimed again meanwhile.
  virtual void Released(const Id& id) = 0;

  // Works across processes: a job that waits is canceled at once (true); one that is held is asked to (false)
  // and its handler decides.
  virtual StatusOr<bool> RequestCancel(Transaction& transaction, const Id& id) = 0;
  // A dead job goes back to ready with its tries at 0; kConflict names the holder of its unique key. A dead
  // parent takes the children with it that have not ended well; a dead child calls its parent back.
  virtual Status Retry(Transaction& transaction, const Id& id) = 0;
  // The same for all dead jobs of `queue` (of one kind, unless that is ""), some hundreds a transaction.
  // Those whose unique key is taken stay dead. `done` comes once, on the thread that commits.
  struct Retried {
    int64_t retried = 0, in_conflict = 0;
  };
  using RetriedDone = std::function<void(StatusOr<Retried>)>;
  virtual void RetryAll(const std::string& queue, const std::string& kind, RetriedDone done) = 0;

  // How long the lease of this worker is still good for, ms: what the sender of a paid request checks first
  // (>= 10 s).
  virtual int64_t LeaseLeftMs() = 0;
  virtual Id worker() const = 0;
  // How many jobs are held here, running or parked.
  virtual size_t held() const = 0;

  // Manual mode: claims, promotes, renews, looks for dead workers: whatever is due. True when something was
  // done. NextDue: monotonic ms.
  virtual bool RunOnce() = 0;
  virtual int64_t NextDue() = 0;

  // Claims nothing more. Then, after the holders had their time: hands back what is still held (ready again,
  // no try burnt), removes the worker row and file.
  virtual void StopClaiming() = 0;
  virtual void HandBack() = 0;
  virtual void Abandon() = 0;  // in a forked child
};

StatusOr<std::unique_ptr<Queues>> OpenQueues(Store* store, Executor* executor, Clock* clock, Random* random,
                                             IdSource* ids, FileSystem* files, Metrics* metrics, LogSink* log,
                                             const QueuesOptions& options);

}  // namespace mediagen
