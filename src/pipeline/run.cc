#include "pipeline/run.h"

#include <algorithm>

#include "fmt/format.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr int64_t kProviderGoneMs =
    60'000;  // how long a job waits for a provider that the configuration no longer names
constexpr int64_t kStorageRetryMs = 2'000;  // between tries of a write that failed

// Whether nothing can come of it any more.
bool IsOver(AttemptState state) {
  return state == AttemptState::kUnsent || state == AttemptState::kRejected ||
         state == AttemptState::kFailed || state == AttemptState::kCanceled ||
         state == AttemptState::kAbandoned;
}

}  // namespace

Run::Run(Pipeline* pipeline, Claim claim)
    : pipeline_(pipeline), parts_(pipeline->parts()), claim_(std::move(claim)) {}

void Run::Do(Task task) {
  {
    std::lock_guard lock(strand_mutex_);
    strand_.push_back(std::move(task));
    if (strand_running_) return;
    strand_running_ = true;
  }
  bool posted = parts_.executor->Post([self = shared_from_this()] {
    while (true) {
      Task next;
      {
        std::lock_guard lock(self->strand_mutex_);
        if (self->strand_.empty()) {
          self->strand_running_ = false;
          return;
        }
        next = std::move(self->strand_.front());
        self->strand_.pop_front();
      }
      next();
    }
  });
  if (posted) return;
  std::deque<Task> dropped;  // the engine is closing; tasks hold this run, so they must not stay in it
  std::lock_guard lock(strand_mutex_);
  strand_running_ = false;
  dropped.swap(strand_);
}

void Run::After(int64_t ms, Task task) {
  parts_.executor->PostAt(parts_.clock->MonotonicMs() + std::max<int64_t>(ms, 0),
                          [self = shared_from_this(), task = std::move(task)] { self->Do(task); });
}

void Run::Begin() {
  Do([self = shared_from_this()] { self->Load(); });
}

void Run::Cancel() {
  cancel_ = true;
  Do([self = shared_from_this()] {
    for (PartRun& part : self->runs_) {
      if (part.waiting) self->CancelRemote(part);
    }
  });
}

void Run::Abandon() {
  abandoned_ = true;
  cancel_ = true;  // a drawing stops at its next step; its job is handed back and drawn again
}

bool Run::DeadlinePassed() const { return parts_.clock->MonotonicMs() > deadline_mono_; }

// It is stored as wall time. From the claim on it runs on the monotonic clock: a jump of the wall clock must
// neither end what waits for a provider nor let it wait for ever.
void Run::SetDeadline() {
  if (generation_.deadline_ms < 0) return;
  const int64_t whole_ms = std::max<int64_t>(generation_.deadline_ms - generation_.created_ms, 0);
  const int64_t left_ms = std::min(generation_.deadline_ms - parts_.clock->WallMs(), whole_ms);
  deadline_mono_ = parts_.clock->MonotonicMs() + left_ms;
}

bool Run::OnlyPending(const PartRun& part) const {
  return std::none_of(runs_.begin(), runs_.end(),
                      [&](const PartRun& other) { return &other != &part && other.row.state == "pending"; });
}

bool Run::Unanswered(const PartRun& part) {
  return part.attempt &&
         (part.attempt->state == AttemptState::kIntent || part.attempt->state == AttemptState::kUnknown);
}

int Run::ChoiceOf(const PartRun& part) const {
  auto fits = [&](int choice) {
    const Choice at = request_.ChoiceAt(choice);
    return at.provider == part.attempt->provider && at.model == part.attempt->model;
  };
  if (!part.attempt || !HasPaidWork(std::span(&*part.attempt, 1)) || fits(part.row.choice))
    return part.row.choice;
  for (int choice = 0; choice < request_.choices(); ++choice) {
    if (fits(choice)) return choice;
  }
  return part.row.choice;
}

void Run::PutAt(PartRun& part, int choice) {
  part.row.choice = choice;
  part.at = request_.ChoiceAt(choice);
  auto adapter = pipeline_->Provider(part.at.provider);
  part.adapter = adapter.ok() ? *adapter : nullptr;
  part.request = PartOf(request_, part.first_index, part.row.n, choice);
  part.resolved = false;
  part.refusals = 0;
}

void Run::Load() {
  if (abandoned_) return;
  Json payload = Json::parse(claim_.job.payload_json, nullptr, false);
  auto id = Id::Parse(payload.is_object() ? payload.value("generation", "") : "");
  if (!id.ok()) return EndWith(Outcome::Discard("the job names no generation"));
  std::vector<Part> rows;
  std::vector<Attempt> attempts;
  bool found = false;
  Status read = parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(auto row, snapshot.records().FindGeneration(*id));
    found = row.has_value();
    if (!found) return OkStatus();
    generation_ = *row;
    ASSIGN_OR_RETURN(rows, snapshot.records().PartsOf(*id));
    ASSIGN_OR_RETURN(attempts, snapshot.records().AttemptsOf(*id));
    return OkStatus();
  });
  if (!read.ok()) return Trouble(read);
  if (!found) {
    Status settled = parts_.store->Commit(
        [&](Transaction& transaction) { return SettleErased(parts_, transaction, *id); });
    if (!settled.ok()) return Trouble(settled);
    return EndWith(Outcome::Discard("its generation was deleted"));
  }
  if (IsResting(generation_.status)) return EndWith(Outcome::Done());
  SetDeadline();
  if (generation_.cancel_requested) cancel_ = true;
  auto request = RequestFromJson(generation_.request_json);
  if (!request.ok()) return EndWith(Outcome::Discard(InfoOf(request.status()).message));
  request_ = std::move(*request);
  const PartRun* homeless = nullptr;
  int first = 0;
  for (const Part& row : rows) {
    PartRun part;
    part.row = row;
    part.first_index = first;
    first += row.n;
    for (const Attempt& attempt : attempts) {
      if (attempt.part != row.part) continue;
      part.tries = std::max(part.tries, attempt.attempt_try);
      // Ordered by try: the last one stays, but for one that was given up and answered after all.
      const bool accepted = part.attempt && (part.attempt->state == AttemptState::kSubmitted ||
                                             part.attempt->state == AttemptState::kReceived);
      if (!accepted || !IsOver(attempt.state)) part.attempt = attempt;
    }
    PutAt(part, ChoiceOf(part));
    for (const Attempt& attempt : attempts) {
      if (attempt.part == row.part && attempt.state == AttemptState::kRejected &&
          attempt.provider == part.at.provider && attempt.model == part.at.model)
        ++part.refusals;
    }
    runs_.push_back(std::move(part));
  }
  for (const PartRun& part : runs_) {
    if (part.adapter == nullptr && part.row.state == "pending") homeless = &part;
  }
  if (homeless != nullptr && !DeadlinePassed()) {
    const std::string& provider = homeless->at.provider;
    parts_.log->Write(LogLevel::kWarning, "pipeline",
                      "a generation waits for a provider that is not configured",
                      {{"generation", id->text()}, {"provider", provider}});
    return EndWith(Outcome::Defer(kProviderGoneMs, InfoOf(pipeline_->Provider(provider).status()).message));
  }
  for (size_t i = 0; i < runs_.size() && !ended_; ++i) Advance(runs_[i]);
}

void Run::Advance(PartRun& part) {
  if (ended_ || part.row.state != "pending") return;
  if (part.adapter == nullptr) {
    const bool charged = part.attempt && HasPaidWork(std::span(&*part.attempt, 1));
    return FailPart(
        part, {.error_class = ErrorClass::kTimeout, .message = "Its provider is not configured any more."},
        charged, AttemptState::kAbandoned);
  }
  if (!part.attempt) return StartAttempt(part);
  switch (part.attempt->state) {
    case AttemptState::kIntent:
      // Somebody's intent without an answer. Free work simply runs again; for paid work only the provider
      // knows.
      if (part.adapter->billed())
        return ResolveUnknown(part, "the process ended before the provider's answer was stored");
      return StartAttempt(part);
    case AttemptState::kUnknown:
      return ResolveUnknown(part, "the provider's answer was not received");
    case AttemptState::kSubmitted:
      part.place = pipeline_->gate_.Occupy(part.at.provider);
      return Wait(part, 0);
    case AttemptState::kReceived:
      return ReadSpool(part);
    case AttemptState::kSucceeded:
      return Download(part);
    default:
      return StartAttempt(part);  // unsent, rejected: an earlier claim was told to try again; failed,
                                  // canceled: a retry was asked for
  }
}

Status Run::Update(const Change& change) {
  Generation row;
  Status committed = parts_.store->Commit([&](Transaction& transaction) -> Status {
    RETURN_IF_ERROR(parts_.queues->Heartbeat(transaction, claim_.id(), claim_.fence()));
    ASSIGN_OR_RETURN(auto found, transaction.records().FindGeneration(generation_.id));
    if (!found)
      return Error(Code::kNotFound,
                   fmt::format("Generation {} was deleted while it ran.", generation_.id.text()));
    row = *found;
    return change(transaction, row);
  });
  if (!committed.ok()) return committed;
  generation_ = row;
  if (row.cancel_requested) cancel_ = true;
  return OkStatus();
}

void Run::Trouble(const Status& status) {
  if (ended_) return;
  if (CodeOf(status) == Code::kStaleFence) return Lost();
  if (CodeOf(status) == Code::kClosed) return;  // handed back, or returned by the next process
  parts_.log->Write(LogLevel::kWarning, "pipeline", "a step could not be stored and will be tried again",
                    {{"generation", generation_.id.text()}, {"error", InfoOf(status).message}});
  EndWith(Outcome::Defer(kStorageRetryMs, InfoOf(status).message));
}

void Run::EndWith(const Outcome& outcome) {
  if (ended_) return;
  ended_ = true;
  auto finish = [this, outcome] {
    return parts_.store->Commit([&](Transaction& transaction) {
      return parts_.queues->Finish(transaction, claim_.id(), claim_.fence(), outcome);
    });
  };
  Status finished = finish();
  if (!finished.ok() && CodeOf(finished) != Code::kStaleFence && CodeOf(finished) != Code::kClosed &&
      !abandoned_) {
    ended_ = false;
    return After(kStorageRetryMs, [this, outcome] {
      EndWith(outcome);
    });  // a full disk: the claim is kept until the outcome fits
  }
  for (PartRun& part : runs_) part.place.reset();
  pipeline_->EndRun(claim_.id());
}

// The transaction that settled has finished the job already.
void Run::End() {
  ended_ = true;
  for (PartRun& part : runs_) part.place.reset();
  pipeline_->EndRun(claim_.id());
}

void Run::Lost() {
  parts_.log->Write(LogLevel::kWarning, "pipeline",
                    "the lease of a generation was lost; its next holder goes on",
                    {{"generation", generation_.id.text()}});
  End();
}

}  // namespace mediagen
