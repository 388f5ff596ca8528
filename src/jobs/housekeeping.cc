#include "jobs/housekeeping.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "jobs/transition.h"

namespace mediagen {
namespace {

constexpr int64_t kIntervalMs = 60'000, kSoonMs = 20;  // soon: when there was more than one group's worth
constexpr int kAtOnce = 200;                           // deletions a commit

struct Rule {
  std::string queue;
  JobState state = JobState::kDone;
  int64_t before_ms = 0;
  int64_t too_many = 0;  // of the oldest, whatever their age
};

Keep KeepOf(const QueueSettings& settings, JobState state) {
  return state == JobState::kDone   ? settings.done
         : state == JobState::kDead ? settings.dead
                                    : settings.canceled;
}

StatusOr<std::vector<Rule>> RulesOf(const JobStore& jobs, const SettingsTable& settings, int64_t now_ms) {
  std::vector<Rule> rules;
  ASSIGN_OR_RETURN(auto counts, jobs.Counts());
  for (const auto& [queue, states] : counts) {
    for (const auto& [state, count] : states) {
      if (!IsEnded(state)) continue;
      const Keep keep = KeepOf(settings.Of(queue), state);
      rules.push_back({queue, state, now_ms - keep.age_ms, std::max<int64_t>(count - keep.count, 0)});
    }
  }
  return rules;
}

}  // namespace

struct Housekeeping::State {
  Store* store = nullptr;
  Clock* clock = nullptr;
  LogSink* log = nullptr;
  const SettingsTable* settings = nullptr;
  std::function<void()> kick;
  Counter pruned;
  std::atomic<int64_t> next_due{0};
  std::atomic<bool> under_way{false};
  int done = 0;  // by the commit under way
  std::map<std::pair<std::string, JobState>, Id>
      roaming;  // the last job that was looked at; the writer's alone

  // In one transaction: up to kAtOnce deletions over all queues. The settings are those of `rules`, since the
  // table may be gone by then.
  Status Prune(Transaction& transaction, const std::vector<Rule>& rules) {
    done = 0;
    std::vector<std::string> blobs;
    for (const Rule& rule : rules) {
      auto prune = [&](int64_t before_ms, int64_t most, Id* after) -> Status {
        const int limit = static_cast<int>(std::min<int64_t>(most, kAtOnce - done));
        if (limit <= 0) return OkStatus();
        ASSIGN_OR_RETURN(const int gone,
                         transaction.jobs().Prune(rule.queue, rule.state, before_ms, limit, after, &blobs));
        done += gone;
        return OkStatus();
      };
      // The first ones are mostly the ones. Behind them, a little further each time: jobs that were made
      // later and have expired, among those that waited long and have not.
      Id first, front;
      RETURN_IF_ERROR(prune(INT64_MAX, rule.too_many, &first));
      RETURN_IF_ERROR(prune(rule.before_ms, kAtOnce, &front));
      if (!front.empty()) RETURN_IF_ERROR(prune(rule.before_ms, kAtOnce, &roaming[{rule.queue, rule.state}]));
    }
    for (const std::string& blob : blobs)
      RETURN_IF_ERROR(transaction.records().AddTombstone(blob, clock->WallMs()));
    return OkStatus();
  }

  void Ended(const Status& status) {
    if (status.ok()) {
      pruned.Add(done);
    } else if (CodeOf(status) != Code::kClosed) {
      log->Write(LogLevel::kWarning, "jobs",
                 fmt::format("Finished jobs were not deleted: {}", InfoOf(status).message));
    }
    next_due = clock->MonotonicMs() + (status.ok() && done >= kAtOnce ? kSoonMs : kIntervalMs);
    under_way = false;
    kick();
  }
};

Housekeeping::Housekeeping(Store* store, Clock* clock, Metrics* metrics, LogSink* log,
                           const SettingsTable* settings, const Beat* beat)
    : state_(std::make_shared<State>()) {
  State& s = *state_;
  s.store = store, s.clock = clock, s.log = log, s.settings = settings, s.kick = beat->Kicker();
  s.pruned = metrics->AddCounter("mediagen_jobs_pruned_total", "Finished jobs that were deleted.");
  s.next_due = clock->MonotonicMs() + kIntervalMs;
}

int64_t Housekeeping::next_due() const { return state_->under_way ? INT64_MAX : state_->next_due.load(); }

int64_t Housekeeping::RunIfDue() {
  State& s = *state_;
  if (s.under_way) return INT64_MAX;  // its end kicks
  const int64_t now = s.clock->MonotonicMs();
  if (now < s.next_due) return s.next_due;
  std::vector<Rule> rules;
  Status read = s.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(rules, RulesOf(snapshot.jobs(), *s.settings, s.clock->WallMs()));
    return OkStatus();
  });
  if (!read.ok() || rules.empty()) {
    s.next_due = now + kIntervalMs;
    return s.next_due;
  }
  s.under_way = true;
  s.store->CommitAsync([state = state_, rules = std::move(rules)](
                           Transaction& transaction) { return state->Prune(transaction, rules); },
                       [state = state_](Status status) { state->Ended(status); });
  return INT64_MAX;
}

}  // namespace mediagen
