// One worker: its lease, its held jobs, and the loop that claims. The parts do the work; this file wires them
// and keeps the order of beginning and ending.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "fmt/format.h"
#include "jobs/beat.h"
#include "jobs/claim_loop.h"
#include "jobs/held.h"
#include "jobs/housekeeping.h"
#include "jobs/job_rows.h"
#include "jobs/lease.h"
#include "jobs/queue.h"
#include "jobs/recovery.h"
#include "jobs/settings.h"
#include "jobs/settings_document.h"
#include "jobs/time_limit.h"

namespace mediagen {
namespace {

constexpr int kRetryAtOnce = 200;  // dead jobs a transaction

class DurableQueues final : public Queues {
 public:
  DurableQueues(Store* store, Executor* executor, Clock* clock, Random* random, IdSource* ids,
                FileSystem* files, Metrics* metrics, LogSink* log, const QueuesOptions& options)
      : store_(store),
        clock_(clock),
        log_(log),
        options_(options),
        worker_(ids->Next()),
        pulse_(clock),
        renewal_(clock),
        held_(metrics),
        lease_(store, clock, files, metrics, log, {options.dir, worker_, options.lease_ms, options.renew_ms},
               {.lost = [this] { return LoseHeld(); }, .regained = [this] { loop_.SweepStrays(); }}),
        moves_(clock, &settings_),
        recovery_(store, clock, files, metrics, log, &settings_, &moves_, options.dir, worker_),
        limits_(store, clock, metrics, log, &held_, &settings_, &moves_, worker_, options.lease_ms),
        rows_(clock, random, ids, &settings_, &held_, &limits_, &moves_),
        housekeeping_(store, clock, metrics, log, &settings_, &pulse_),
        loop_(
            {store, executor, clock, log, &held_, &settings_, &moves_, &lease_, &limits_, &pulse_, worker_}) {
    // Outlives this object inside the store, so it holds the beat's state alone.
    store->OnWake([kick = pulse_.Kicker()](const Store::Wake& wake) {
      if (wake.queues) kick();
    });
  }

  ~DurableQueues() override {
    if (!abandoned_) HandBack();
  }

  void Configure(const std::string& queue, const QueueSettings& settings) override {
    settings_.Set(queue, settings);
    pulse_.Kick();  // more slots, or no pause any more
  }
  QueueSettings SettingsOf(const std::string& queue) const override { return settings_.Of(queue); }
  std::vector<std::string> Configured() const override { return settings_.Configured(); }
  StatusOr<std::string> Adjust(Transaction& transaction, const std::string& queue,
                               const Json& patch) override;

  void Serve(const std::string& queue, Handler handler, CancelHandler canceled) override {
    loop_.Serve(queue, std::move(handler), std::move(canceled));
  }
  uint64_t ClaimAsync(std::vector<std::string> queues, int max, ClaimDone done) override {
    return loop_.Add(std::move(queues), max, std::move(done));
  }
  void CancelClaim(uint64_t number) override { loop_.CancelWaiter(number); }

  Status Start() override {
    if (started_.exchange(true)) return Error(Code::kConflict, "The queues were started already.");
    Status status = lease_.Begin();
    if (!status.ok()) {
      started_ = false;
      return Annotate(status, "The queues cannot start");
    }
    status = store_->Read([this](const Snapshot& snapshot) { return settings_.Load(snapshot.jobs()); });
    if (!status.ok()) {
      log_->Write(LogLevel::kWarning, "jobs",
                  fmt::format("The stored settings of the queues were not read: {}", InfoOf(status).message));
    }
    pulse_.Kick();
    if (options_.threaded) {
      renewal_.Start("mg-lease", [this](bool) { return lease_.RenewIfDue(); });
      pulse_.Start("mg-jobs", [this](bool kicked) { return Pulse(kicked); });
    }
    return OkStatus();
  }

  StatusOr<Id> Enqueue(Transaction& transaction, NewJob job) override {
    return rows_.Enqueue(transaction, std::move(job));
  }
  Status Finish(Transaction& transaction, const Id& id, uint64_t fence, const Outcome& outcome) override {
    return rows_.Finish(transaction, id, fence, outcome);
  }
  void OnLateEnd(LateEnd taken) override { rows_.OnLateEnd(std::move(taken)); }
  Status Progress(Transaction& transaction, const Id& id, uint64_t fence,
                  std::string progress_json) override {
    return rows_.Progress(transaction, id, fence, progress_json);
  }
  Status Heartbeat(Transaction& transaction, const Id& id, uint64_t fence) override {
    return rows_.Heartbeat(transaction, id, fence);
  }
  Status Checkpoint(Transaction& transaction, const Id& id, uint64_t fence,
                    std::string checkpoint_json) override {
    return rows_.Checkpoint(transaction, id, fence, checkpoint_json);
  }
  Status Log(Transaction& transaction, const Id& id, uint64_t fence, std::string_view level,
             std::string_view message) override {
    return rows_.Log(transaction, id, fence, level, message);
  }
  Status Park(Transaction& transaction, const Id& id, uint64_t fence) override {
    return rows_.Park(transaction, id, fence);
  }
  Status Unpark(Transaction& transaction, const Id& id, uint64_t fence) override {
    return rows_.Unpark(transaction, id, fence);
  }
  void Released(const Id& id) override {
    held_.Release(id);
    pulse_.Kick();
  }
  StatusOr<bool> RequestCancel(Transaction& transaction, const Id& id) override {
    return rows_.RequestCancel(transaction, id);
  }
  Status Retry(Transaction& transaction, const Id& id) override { return rows_.Retry(transaction, id); }
  void RetryAll(const std::string& queue, const std::string& kind, RetriedDone done) override;

  int64_t LeaseLeftMs() override { return lease_.LeftMs(); }
  Id worker() const override { return worker_; }
  size_t held() const override { return held_.size(); }

  bool RunOnce() override {
    if (!started_ || ended_) return false;
    if (NextDue() > clock_->MonotonicMs()) return false;
    lease_.RenewIfDue();
    Pulse(pulse_.TakeKick());
    return true;
  }
  int64_t NextDue() override {
    if (!started_ || ended_) return INT64_MAX;
    if (pulse_.kicked()) return clock_->MonotonicMs();
    return std::min({lease_.next_due(), next_scan_.load(), limits_.next_due(), loop_.next_due(),
                     housekeeping_.next_due()});
  }

  void StopClaiming() override { loop_.Stop(); }
  void HandBack() override;
  void Abandon() override {
    abandoned_ = true;
    ended_ = true;
    pulse_.Abandon();
    renewal_.Abandon();
    lease_.Abandon();
  }

 private:
  // Everything that is due except the renewal, which no slow scan may delay. Dead workers first: their jobs
  // are claimable then.
  int64_t Pulse(bool kicked) {
    int64_t now = clock_->MonotonicMs();
    if (now >= next_scan_) {
      recovery_.Scan();
      next_scan_ = clock_->MonotonicMs() + options_.scan_ms;
      kicked = true;  // a look at least that often, should a wake be lost
    }
    int64_t limits_due = limits_.CheckIfDue();
    int64_t look_due = loop_.Look(kicked);
    int64_t housekeeping_due = housekeeping_.RunIfDue();
    return std::min({next_scan_.load(), limits_due, look_due, housekeeping_due});
  }

  size_t LoseHeld() {
    size_t count = held_.size();
    held_.Clear();
    return count;
  }

  Store* const store_;
  Clock* const clock_;
  LogSink* const log_;
  const QueuesOptions options_;
  const Id worker_;
  std::atomic<bool> started_{false}, ended_{false};
  bool abandoned_ = false;
  std::atomic<int64_t> next_scan_{0};
  SettingsTable settings_;
  Beat pulse_, renewal_;
  HeldJobs held_;
  Lease lease_;
  const Moves moves_;
  Recovery recovery_;
  TimeLimits limits_;
  JobRows rows_;
  Housekeeping housekeeping_;
  ClaimLoop loop_;
};

StatusOr<std::string> DurableQueues::Adjust(Transaction& transaction, const std::string& queue,
                                            const Json& patch) {
  ASSIGN_OR_RETURN(std::vector<StoredSettings> rows, transaction.jobs().Settings());
  auto row =
      std::find_if(rows.begin(), rows.end(), [&](const auto& stored) { return stored.queue == queue; });
  QueueSettings settings;
  ASSIGN_OR_RETURN(std::string document,
                   settings_.Merge(queue, row == rows.end() ? "" : row->document_json, patch, &settings));
  RETURN_IF_ERROR(transaction.jobs().PutSettings({queue, std::move(document)}));
  std::string json = QueueSettingsJson(settings);
  Event event{.topic = "queues", .type = "queue.changed", .object = queue, .data_json = json};
  event.at_ms = clock_->WallMs();
  RETURN_IF_ERROR(transaction.events().Append(event).status());
  transaction.WakeQueues();
  return json;
}

// One group's worth after the other, so that claims come in between. What is under way holds what it needs:
// the queues outlive the store's commits.
void DurableQueues::RetryAll(const std::string& queue, const std::string& kind, RetriedDone done) {
  struct Step {
    DurableQueues* queues;
    std::string queue, kind;
    RetriedDone done;
    Id after, last;
    Retried total, now;
    bool more = false;
  };
  auto step = std::make_shared<Step>(Step{this, queue, kind, std::move(done), {}, {}, {}, {}, false});
  auto next = std::make_shared<std::function<void()>>();
  *next = [step, weak = std::weak_ptr(next)] {
    auto operation = [step](Transaction& transaction) -> Status {
      step->now = {}, step->last = step->after;
      ASSIGN_OR_RETURN(step->more, step->queues->rows_.RetryDead(transaction, step->queue, step->kind,
                                                                 kRetryAtOnce, &step->last, &step->now));
      return OkStatus();
    };
    step->queues->store_->CommitAsync(operation, [step, next = weak.lock()](Status status) {
      if (!status.ok()) return step->done(status);
      step->after = step->last;
      step->total.retried += step->now.retried, step->total.in_conflict += step->now.in_conflict;
      step->more ? (*next)() : step->done(step->total);
    });
  };
  (*next)();
}

void DurableQueues::HandBack() {
  StopClaiming();
  if (!started_ || ended_.exchange(true)) return;
  if (options_.threaded) {
    pulse_.Stop();
    renewal_.Stop();
    loop_.AwaitRound();
  } else {
    while (loop_.in_flight() && store_->RunOnce()) {
    }
  }
  Status status =
      store_->Commit([this](Transaction& transaction) { return rows_.HandBack(transaction, worker_); });
  if (status.ok()) {
    held_.Clear();
    status = lease_.End();
  } else {
    lease_.Abandon();  // the file stays, unlocked: others find a dead worker and return its jobs
  }
  if (!status.ok()) {
    log_->Write(LogLevel::kWarning, "jobs",
                fmt::format("Jobs were not handed back: {}", InfoOf(status).message),
                {{"worker", worker_.text()}});
  }
}

}  // namespace

StatusOr<std::unique_ptr<Queues>> OpenQueues(Store* store, Executor* executor, Clock* clock, Random* random,
                                             IdSource* ids, FileSystem* files, Metrics* metrics, LogSink* log,
                                             const QueuesOptions& options) {
  if (options.dir.empty()) return Error(Code::kInvalid, "The queues need the data directory.");
  if (options.renew_ms < 1 || options.scan_ms < 1 || options.lease_ms <= options.renew_ms) {
    return Error(
        Code::kInvalid,
        fmt::format("A lease of {} ms cannot be renewed every {} ms and scanned every {} ms.",
                    options.lease_ms, options.renew_ms, options.scan_ms),
        {.hint = "The lease must be longer than its renewal interval; both intervals are at least 1 ms."});
  }
  return std::make_unique<DurableQueues>(store, executor, clock, random, ids, files, metrics, log, options);
}

}  // namespace mediagen
