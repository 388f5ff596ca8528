#include "pipeline/run.h"

#include <algorithm>

#include "fmt/format.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr int64_t kProviderGoneMs =
    60'000;  // how long a job waits for a provider that the configuration no longer names
constexpr int64_t kStorageRetryMs = 2'000;  // between tries of a write that failed

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

bool Run::DeadlinePassed() const {
  return generation_.deadline_ms >= 0 && parts_.clock->WallMs() > generation_.deadline_ms;
}

bool Run::OnlyPending(const PartRun& part) const {
  return std::none_of(runs_.begin(), runs_.end(),
                      [&](const PartRun& other) { return &other != &part && other.row.state == "pending"; });
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
  if (!found) return EndWith(Outcome::Discard("its generation was deleted"));
  if (IsResting(generation_.status)) return EndWith(Outcome::Done());
  if (generation_.cancel_requested) cancel_ = true;
  auto request = RequestFromJson(generation_.request_json);
  if (!request.ok()) return EndWith(Outcome::Discard(InfoOf(request.status()).message));
  auto adapter = pipeline_->Provider(generation_.provider);
  if (adapter.ok()) adapter_ = *adapter;
  int first = 0;
  for (const Part& row : rows) {
    PartRun part;
    part.row = row;
    part.first_index = first;
    part.request = PartOf(*request, first, row.n);
    first += row.n;
    for (const Attempt& attempt : attempts) {
      if (attempt.part == row.part) part.attempt = attempt;  // ordered by try: the last one stays
    }
    runs_.push_back(std::move(part));
  }
  if (adapter_ == nullptr && !DeadlinePassed()) {
    parts_.log->Write(LogLevel::kWarning, "pipeline",
                      "a generation waits for a provider that is not configured",
                      {{"generation", id->text()}, {"provider", generation_.provider}});
    return EndWith(Outcome::Defer(kProviderGoneMs, InfoOf(adapter.status()).message));
  }
  for (size_t i = 0; i < runs_.size() && !ended_; ++i) Advance(runs_[i]);
}

void Run::Advance(PartRun& part) {
  if (ended_ || part.row.state != "pending") return;
  if (adapter_ == nullptr) {
    return FailPart(
        part, {.error_class = ErrorClass::kTimeout, .message = "Its provider is not configured any more."},
        false, AttemptState::kAbandoned);
  }
  if (!part.attempt) return StartAttempt(part);
  switch (part.attempt->state) {
    case AttemptState::kIntent:
      // Somebody's intent without an answer. Free work simply runs again; for paid work only the provider
      // knows.
      if (adapter_->billed())
        return ResolveUnknown(part, "the process ended before the provider's answer was stored");
      return StartAttempt(part);
    case AttemptState::kUnknown:
      return ResolveUnknown(part, "the provider's answer was not received");
    case AttemptState::kSubmitted:
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
  pipeline_->EndRun(claim_.id());
}

// The transaction that settled has finished the job already.
void Run::End() {
  ended_ = true;
  pipeline_->EndRun(claim_.id());
}

void Run::Lost() {
  parts_.log->Write(LogLevel::kWarning, "pipeline",
                    "the lease of a generation was lost; its next holder goes on",
                    {{"generation", generation_.id.text()}});
  End();
}

}  // namespace mediagen
