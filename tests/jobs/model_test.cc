// Random steps of several workers, against the rules that must hold whatever happens.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "fmt/format.h"
#include "jobs/fixture.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;

constexpr int kSteps = 100'000;
constexpr int kWorkers = 3;
constexpr int kOpenJobs = 40;
constexpr QueueSettings kSettings{
    .concurrency = 6, .per_user = 4, .retry = {.tries = 3, .base_ms = 500, .cap_ms = 8000}};
constexpr Allowance kRate{.amount = 9, .per_ms = 5000};  // of queue "b"

struct ModelJob {
  std::string queue;
  bool ended = false;  // by a finish or cancel that committed
  uint64_t last_fence = 0;
  int64_t timeout_ms = 0;
};

// A claim as its holder sees it. `live`: nobody may have taken it away yet.
struct Holding {
  Claim claim;
  int worker = 0;
  bool live = true, parked = false;
  int64_t alive_mono = 0;
};

class Model {
 public:
  explicit Model(uint64_t seed) : random_(SeededRandom(seed)) {
    for (int i = 0; i < kWorkers; ++i) Open(i);
  }

  void Step() {
    uint64_t dice = random_->Below(1000);
    if (dice < 240) return Enqueue();
    if (dice < 500) return Claims(Pick(kWorkers));
    if (dice < 780) return Finish();
    if (dice < 860) return Touch();
    if (dice < 890) return Cancel();
    if (dice < 910) return Retry();
    if (dice < 980) return Advance(1 + static_cast<int64_t>(random_->Below(4000)));
    if (dice < 990) return Freeze(Pick(kWorkers));
    if (dice < 995)
      return machine_.fake.JumpWall(static_cast<int64_t>(random_->Below(7'200'000)) - 3'600'000);
    if (dice < 998) return Crash(Pick(kWorkers));
  }

  // Calm returns: everything that was accepted comes to its end.
  void Settle() {
    for (int i = 0; i < kWorkers; ++i) frozen_[i] = false;
    machine_.fake.JumpWall(int64_t{365} * 86'400'000);  // times that a jump back had moved away are due
    for (int round = 0; round < 400 && OpenCount() > 0; ++round) {
      Advance(4000);
      for (int i = 0; i < kWorkers; ++i) Claims(i);
      while (!holdings_.empty()) End(0, Outcome::Done());
    }
    CHECK(OpenCount() == 0);
  }

  int64_t most_spent = 0;
  int claims = 0, ended = 0, stale = 0, crashes = 0, dead = 0;

 private:
  int Pick(size_t bound) { return static_cast<int>(random_->Below(bound)); }
  Process& Any() { return *workers_[Pick(kWorkers)]; }  // rows can be written and read by whoever

  void Open(int i) {
    workers_[i] = std::make_unique<Process>(machine_, random_->Next());
    QueueSettings settings = kSettings;
    workers_[i]->queues->Configure("a", settings);
    settings.rate = kRate;
    workers_[i]->queues->Configure("b", settings);
    frozen_[i] = false;
  }

  void Enqueue() {
    if (OpenCount() >= kOpenJobs) return;
    NewJob job{.queue = Pick(2) ? "a" : "b",
               .kind = "test",
               .user = fmt::format("user{}", Pick(3)),
               .priority = Pick(3),
               .cost = 1 + Pick(3)};
    if (Pick(4) == 0) job.run_at_ms = machine_.fake.WallMs() + Pick(10'000);
    job.timeout_ms = 20'000 + Pick(40'000);
    Id id = Any().Enqueue(job);
    jobs_[id] = {.queue = job.queue, .timeout_ms = job.timeout_ms};
    open_.push_back(id);
  }

  void Claims(int worker) {
    if (frozen_[worker]) return;
    std::vector<std::string> queues =
        Pick(3) ? std::vector<std::string>{"a", "b"} : std::vector<std::string>{"b"};
    for (Claim& claim : workers_[worker]->Claims(queues, 1 + Pick(3))) {
      ++claims;
      ModelJob& job = jobs_.at(claim.id());
      CHECK_FALSE(job.ended);
      CHECK(claim.fence() > job.last_fence);
      job.last_fence = claim.fence();
      int live_in_queue = 1;
      for (const Holding& holding : holdings_) {
        if (!holding.live) continue;
        CHECK_MESSAGE(holding.claim.id() != claim.id(), "two live claims of job ", claim.id().text());
        live_in_queue += jobs_.at(holding.claim.id()).queue == job.queue;
      }
      CHECK(live_in_queue <= kSettings.concurrency);
      if (job.queue == "b") Spend(claim.job.cost);
      holdings_.push_back(
          {.claim = std::move(claim), .worker = worker, .alive_mono = machine_.fake.MonotonicMs()});
    }
  }

  // No span of the interval's length has seen more than the rate, whoever claimed.
  void Spend(int64_t cost) {
    const int64_t now = machine_.fake.MonotonicMs();
    spent_.emplace_back(now, cost);
    while (spent_.front().first <= now - kRate.per_ms) spent_.pop_front();
    int64_t in_span = 0;
    for (const auto& [at, part] : spent_) in_span += part;
    CHECK(in_span <= kRate.amount);
    most_spent = std::max(most_spent, in_span);
  }

  void Finish() {
    if (holdings_.empty()) return;
    size_t i = random_->Below(holdings_.size());
    if (frozen_[holdings_[i].worker]) return;
    const int64_t after_ms = Pick(5000);
    switch (Pick(8)) {
      case 0:
        return End(i, Outcome::Retry("again", Pick(2) ? after_ms : -1));
      case 1:
        return End(i, Outcome::Retry("again"));
      case 2:
        return End(i, Outcome::Defer(after_ms));
      case 3:
        return End(i, Outcome::Discard("no"));
      case 4:
        return End(i, Outcome::Cancel());
      default:
        return End(i, Outcome::Done());
    }
  }

  void End(size_t i, const Outcome& outcome) {
    Holding holding = std::move(holdings_[i]);
    holdings_.erase(holdings_.begin() + static_cast<ptrdiff_t>(i));
    const Id id = holding.claim.id();
    Status status = workers_[holding.worker]->Finish(holding.claim, outcome);
    ModelJob& job = jobs_.at(id);
    if (!status.ok()) {
      ++stale;
      CHECK(CodeOf(status) == Code::kStaleFence);
      CHECK_MESSAGE(!holding.live, "a live claim of job ", id.text(),
                    " was refused: ", InfoOf(status).message);
      return;
    }
    CHECK(holding.claim.fence() == job.last_fence);
    Job row = Any().Row(id);
    if (outcome.kind == Outcome::kRetry) {
      CHECK(row.tries == holding.claim.job.tries + 1);
      CHECK((row.state == JobState::kDead) == (row.tries > kSettings.retry.tries));
    } else {
      CHECK(row.tries == holding.claim.job.tries);
    }
    if (row.state == JobState::kDone || row.state == JobState::kDead || row.state == JobState::kCanceled)
      Ended(id);
  }

  void Ended(const Id& id) {
    ++ended;
    jobs_.at(id).ended = true;
    std::erase(open_, id);
    if (random_->Below(8) == 0) finished_.push_back(id);
  }

  // Jobs that the model has not seen end. Those whose tries were burnt by crashes are dead by now.
  size_t OpenCount() {
    if (open_.size() < kOpenJobs && ++since_look_ % 50 != 0) return open_.size();
    std::vector<Id> open = open_;
    for (const Id& id : open) {
      Job row = Any().Row(id);
      CHECK(row.state != JobState::kDone);
      CHECK(row.state != JobState::kCanceled);
      if (row.state != JobState::kDead) continue;
      CHECK(row.tries > kSettings.retry.tries);
      ++dead;
      Ended(id);
    }
    return open_.size();
  }

  void Touch() {
    if (holdings_.empty()) return;
    Holding& holding = holdings_[random_->Below(holdings_.size())];
    if (frozen_[holding.worker]) return;
    Process& process = *workers_[holding.worker];
    int what = Pick(4);
    Status status = what == 0   ? process.Heartbeat(holding.claim)
                    : what == 1 ? process.Progress(holding.claim, "{}")
                    : what == 2 ? process.Park(holding.claim)
                                : process.Unpark(holding.claim);
    if (!status.ok()) {
      CHECK(CodeOf(status) == Code::kStaleFence);
      CHECK_FALSE(holding.live);
      return;
    }
    CHECK(holding.claim.fence() == jobs_.at(holding.claim.id()).last_fence);
    holding.alive_mono = machine_.fake.MonotonicMs();
    if (what >= 2) holding.parked = what == 2;
  }

  void Cancel() {
    if (open_.empty()) return;
    Id id = open_[random_->Below(open_.size())];
    Job before = Any().Row(id);
    StatusOr<bool> canceled = Any().RequestCancel(id);
    if (before.state == JobState::kDead) {
      CHECK(CodeOf(canceled.status()) == Code::kConflict);
      return;
    }
    REQUIRE(canceled.ok());
    const bool held = before.state == JobState::kRunning || before.state == JobState::kParked;
    CHECK(*canceled == !held);
    if (*canceled) Ended(id);
  }

  void Retry() {
    if (finished_.empty()) return;
    Id id = finished_.back();
    finished_.pop_back();
    Job row = Any().Row(id);
    Status status = Any().Retry(id);
    CHECK(CodeOf(status) == (row.state == JobState::kDead ? Code::kOk : Code::kConflict));
    if (!status.ok()) return;
    jobs_.at(id).ended = false;
    open_.push_back(id);
  }

  void Advance(int64_t ms) {
    machine_.fake.Advance(ms);
    int64_t now = machine_.fake.MonotonicMs();
    for (Holding& holding : holdings_) {  // before anybody acts on the new time
      if (workers_[holding.worker]->queues->LeaseLeftMs() == 0) holding.live = false;
      if (!holding.parked && holding.alive_mono + jobs_.at(holding.claim.id()).timeout_ms <= now)
        holding.live = false;
    }
    for (int i = 0; i < kWorkers; ++i) {
      if (!frozen_[i]) workers_[i]->Drive();
    }
  }

  // Frozen for more or less than a lease; never all at once.
  void Freeze(int i) {
    bool others_run = false;
    for (int j = 0; j < kWorkers; ++j) others_run |= j != i && !frozen_[j];
    frozen_[i] = !frozen_[i] && others_run;
    if (!frozen_[i]) workers_[i]->Drive();
  }

  void Crash(int i) {
    ++crashes;
    workers_[i]->Die();
    std::erase_if(holdings_, [&](const Holding& holding) { return holding.worker == i; });
    workers_[i].reset();
    Open(i);
  }

  Machine machine_;
  std::unique_ptr<Random> random_;
  std::array<std::unique_ptr<Process>, kWorkers> workers_;
  std::array<bool, kWorkers> frozen_{};
  std::map<Id, ModelJob> jobs_;
  std::vector<Id> open_, finished_;
  std::vector<Holding> holdings_;
  std::deque<std::pair<int64_t, int64_t>> spent_;  // when, how much
  int since_look_ = 0;
};

TEST_CASE("whatever happens, no job has two live claims, no live claim is refused, and nothing is lost") {
  Model model(20261120);
  for (int i = 0; i < kSteps; ++i) model.Step();
  model.Settle();
  MESSAGE(fmt::format("{} claims, {} ends, {} stale finishes, {} crashes, {} dead by crashes", model.claims,
                      model.ended, model.stale, model.crashes, model.dead));
  CHECK(model.claims > 1000);
  CHECK(model.ended > 1000);
  CHECK(model.stale > 10);
  CHECK(model.crashes > 10);
  CHECK(model.most_spent == kRate.amount);
}

}  // namespace
}  // namespace mediagen
