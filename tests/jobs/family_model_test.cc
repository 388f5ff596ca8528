// Random trees of jobs under random steps of several workers, against the rules of a family: what a parent's
// row says of its children is what their own rows say, whoever ended them and however.
#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <vector>

#include "fmt/format.h"
#include "jobs/fixture.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;

constexpr int kSteps = 20'000;
constexpr int kWorkers = 2;
constexpr size_t kTrees = 6;  // at once
constexpr QueueSettings kSettings{
    .concurrency = 8, .timeout_ms = 3'600'000, .retry = {.tries = 1, .base_ms = 200, .cap_ms = 1000}};

struct Node {
  Id id;
  bool is_parent = false;
  std::vector<Node> children;
};

struct Holding {
  Claim claim;
  int worker = 0;
};

bool EndedBadly(JobState state) { return state == JobState::kDead || state == JobState::kCanceled; }

class Model {
 public:
  explicit Model(uint64_t seed) : random_(SeededRandom(seed)) {
    for (int i = 0; i < kWorkers; ++i) Open(i);
  }

  void Step() {
    const uint64_t dice = random_->Below(1000);
    if (dice < 100) return Plant();
    if (dice < 350) return Claims(Pick(kWorkers));
    if (dice < 650) return Finish();
    if (dice < 760) return Progress();
    if (dice < 800) return Cancel();
    if (dice < 850) return Retry();
    if (dice < 870) return Join();
    if (dice < 990) return Advance();
    Crash(Pick(kWorkers));
  }

  // Every tree that has come to rest is compared and forgotten; those that move are compared as they stand.
  void Compare() {
    std::erase_if(trees_, [&](const Node& tree) {
      CheckNode(tree);
      return IsAtRest(tree) && Pick(2) == 0;
    });
  }

  void Settle() {
    for (int round = 0; round < 2000 && !AllAtRest(); ++round) {
      Advance();
      for (int i = 0; i < kWorkers; ++i) Claims(i);
      while (!holdings_.empty()) End(0, Outcome::Done());
    }
    for (const Node& tree : trees_) CheckNode(tree);
    CHECK(AllAtRest());
  }

  int planted = 0, failed = 0, canceled = 0, called_back = 0, joined = 0, crashes = 0, batches = 0;

 private:
  int Pick(size_t bound) { return static_cast<int>(random_->Below(bound)); }
  Process& Any() { return *workers_[Pick(kWorkers)]; }
  Job Row(const Id& id) { return workers_[0]->Row(id); }

  void Open(int i) {
    workers_[i] = std::make_unique<Process>(machine_, random_->Next());
    workers_[i]->queues->Configure("work", kSettings);
  }

  NewJob Draw(int depth) {
    NewJob job{.queue = "work", .kind = "test", .user = fmt::format("user{}", Pick(3))};
    job.units = 1 + Pick(20);
    if (depth == 0 || Pick(3) == 0) {
      job.fail_fast = Pick(2) == 0;
      job.run_after = Pick(2) == 0;
      if (depth < 2) {
        const int count = 1 + Pick(4);
        for (int i = 0; i < count; ++i) job.children.push_back(Draw(depth + 1));
      }
    }
    return job;
  }

  Node Read(const Id& id) {
    Node node{.id = id, .is_parent = FamilyOf(id).has_value()};
    for (const Job& child : ChildrenOf(id)) node.children.push_back(Read(child.id));
    return node;
  }

  void Plant() {
    if (trees_.size() >= kTrees) return;
    trees_.push_back(Read(Any().Enqueue(Draw(0))));
    ++planted;
  }

  std::optional<Family> FamilyOf(const Id& id) {
    std::optional<Family> family;
    REQUIRE(workers_[0]
                ->store
                ->Read([&](const Snapshot& snapshot) -> Status {
                  ASSIGN_OR_RETURN(family, snapshot.jobs().FindFamily(id));
                  return OkStatus();
                })
                .ok());
    return family;
  }

  std::vector<Job> ChildrenOf(const Id& id) {
    std::vector<Job> children;
    REQUIRE(workers_[0]
                ->store
                ->Read([&](const Snapshot& snapshot) -> Status {
                  ASSIGN_OR_RETURN(children, snapshot.jobs().ChildrenOf(id, Id{}, 100));
                  return OkStatus();
                })
                .ok());
    return children;
  }

  const Node& PickNode(const Node& from) {
    return from.children.empty() || Pick(3) == 0
               ? from
               : PickNode(from.children[random_->Below(from.children.size())]);
  }
  const Node* PickNode() {
    return trees_.empty() ? nullptr : &PickNode(trees_[random_->Below(trees_.size())]);
  }

  void Claims(int worker) {
    for (Claim& claim : workers_[worker]->Claims({"work"}, 1 + Pick(4))) {
      const auto family = FamilyOf(claim.id());
      if (family && claim.fence() == 1) {  // later, a child may have been called back meanwhile
        CHECK(family->run_after);
        CHECK(family->pending == 0);
        if (family->fail_fast) CHECK(family->failed + family->canceled == 0);
      }
      holdings_.push_back({std::move(claim), worker});
    }
  }

  void Finish() {
    if (holdings_.empty()) return;
    const size_t i = random_->Below(holdings_.size());
    switch (Pick(10)) {
      case 0:
        return End(i, Outcome::Retry("again"));
      case 1:
        return End(i, Outcome::Discard("no"));
      case 2:
        return End(i, Outcome::Defer(100));
      case 3:
        return End(i, Outcome::Cancel());
      default:
        return End(i, Outcome::Done());
    }
  }

  void End(size_t i, const Outcome& outcome) {
    const Holding holding = std::move(holdings_[i]);
    holdings_.erase(holdings_.begin() + static_cast<ptrdiff_t>(i));
    const Status status = workers_[holding.worker]->Finish(holding.claim, outcome);
    CHECK_MESSAGE(status.ok(), InfoOf(status).message);  // every holder here lives and is in time
  }

  void Progress() {
    if (holdings_.empty()) return;
    const Holding& holding = holdings_[random_->Below(holdings_.size())];
    CHECK(workers_[holding.worker]
              ->Progress(holding.claim, fmt::format(R"({{"current":{}}})", Pick(30) - 3))
              .ok());
  }

  void Cancel() {
    const Node* node = PickNode();
    if (node == nullptr) return;
    const Job before = Row(node->id);
    const StatusOr<bool> done = Any().RequestCancel(node->id);
    const bool ended = before.state == JobState::kDone || before.state == JobState::kDead;
    CHECK(CodeOf(done.status()) == (ended ? Code::kConflict : Code::kOk));
    if (!done.ok() || !*done || before.state == JobState::kCanceled) return;
    ++canceled;
    for (const Node& child : node->children) CHECK(IsStopping(child));
  }

  // Nothing below a job that was canceled waits any more; what runs is asked to end.
  bool IsStopping(const Node& node) {
    const Job row = Row(node.id);
    const bool held = row.state == JobState::kRunning || row.state == JobState::kParked;
    if (held) return row.cancel_requested;
    return row.state == JobState::kDone || EndedBadly(row.state);
  }

  void Retry() {
    const Node* node = PickNode();
    if (node == nullptr) return;
    const Job before = Row(node->id);
    const Status status = Any().Retry(node->id);
    CHECK(CodeOf(status) == (before.state == JobState::kDead ? Code::kOk : Code::kConflict));
    called_back += status.ok();
  }

  void Join() {
    if (trees_.empty()) return;
    Node& tree = trees_[random_->Below(trees_.size())];
    const Job parent = Row(tree.id);
    NewJob job{.queue = "work", .kind = "late", .parent = tree.id};
    const StatusOr<Id> id = Any().TryEnqueue(job);
    CHECK(CodeOf(id.status()) == (parent.state == JobState::kWaiting ? Code::kOk : Code::kConflict));
    if (!id.ok()) return;
    tree.children.push_back({.id = *id});
    ++joined;
  }

  void Advance() {
    machine_.fake.Advance(1 + Pick(1500));
    for (auto& worker : workers_) worker->Drive();
  }

  void Crash(int i) {
    ++crashes;
    workers_[i]->Die();
    std::erase_if(holdings_, [&](const Holding& holding) { return holding.worker == i; });
    workers_[i].reset();
    Open(i);
  }

  // The row of the parent against a count of its children.
  void CheckNode(const Node& node) {
    for (const Node& child : node.children) CheckNode(child);
    const std::optional<Family> family = FamilyOf(node.id);
    REQUIRE(family.has_value() == node.is_parent);
    if (!family) return;
    Family counted{.children = static_cast<int64_t>(node.children.size())};
    for (const Job& child : ChildrenOf(node.id)) {
      counted.pending += child.state != JobState::kDone && !EndedBadly(child.state);
      counted.failed += child.state == JobState::kDead;
      counted.canceled += child.state == JobState::kCanceled;
      counted.units += child.units;
      counted.units_done += child.state == JobState::kDone ? child.units : child.units_done;
    }
    CHECK(family->children == counted.children);
    CHECK(family->pending == counted.pending);
    CHECK(family->failed == counted.failed);
    CHECK(family->canceled == counted.canceled);
    CHECK(family->units == counted.units);
    CHECK(family->units_done == counted.units_done);
    const Job row = Row(node.id);
    const bool stopped = family->fail_fast && family->failed + family->canceled > 0;
    if (row.state == JobState::kWaiting) CHECK(family->pending > 0);
    if (stopped) CHECK(EndedBadly(row.state));
    failed += stopped;
    batches += row.state == JobState::kDone && !family->run_after;
  }

  bool IsAtRest(const Node& node) {
    for (const Node& child : node.children) {
      if (!IsAtRest(child)) return false;
    }
    const JobState state = Row(node.id).state;
    return state == JobState::kDone || EndedBadly(state);
  }
  bool AllAtRest() {
    for (const Node& tree : trees_) {
      if (!IsAtRest(tree)) return false;
    }
    return true;
  }

  Machine machine_;
  std::unique_ptr<Random> random_;
  std::array<std::unique_ptr<Process>, kWorkers> workers_;
  std::vector<Node> trees_;
  std::vector<Holding> holdings_;
};

TEST_CASE("whatever happens, a parent's row says of its children what their own rows say") {
  Model model(20261121);
  for (int i = 0; i < kSteps; ++i) {
    model.Step();
    if (i % 10 == 0) model.Compare();
  }
  model.Settle();
  MESSAGE(fmt::format("{} trees, {} canceled, {} called back, {} joined, {} crashes, {} stopped, {} batches",
                      model.planted, model.canceled, model.called_back, model.joined, model.crashes,
                      model.failed, model.batches));
  CHECK(model.planted > 100);
  CHECK(model.canceled > 20);
  CHECK(model.called_back > 20);
  CHECK(model.joined > 20);
  CHECK(model.crashes > 20);
  CHECK(model.failed > 20);
  CHECK(model.batches > 20);
}

}  // namespace
}  // namespace mediagen
