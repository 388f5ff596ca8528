// Intent, send once, answer: the three steps between which money changes hands (pipeline.md steps 2 and 3).
#include <algorithm>

#include "fmt/format.h"
#include "pipeline/documents.h"
#include "pipeline/fallback.h"
#include "pipeline/run.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr int64_t kMinLeaseMs =
    10'000;  // a paid request leaves only while nobody else can hold the job for this long
constexpr int64_t kUnsendRetryMs = 1'000;  // between tries to store that nothing was sent
constexpr int64_t kRateLimitedMs = 5'000;  // when a 429 gives no hint
constexpr int64_t kLongHintMs =
    10'000;  // who is told to wait for longer goes elsewhere, if there is a fallback
constexpr AttemptState kIntentOnly[] = {AttemptState::kIntent};

Failure Canceled() { return {.error_class = ErrorClass::kCanceled, .message = "It was canceled."}; }
Failure PastDeadline() {
  return {.error_class = ErrorClass::kTimeout, .message = "Its deadline passed before a provider took it."};
}

struct Kept {
  bool moved = false;  // it was this answer that the attempt waited for
  bool holds = false;  // the claim is still ours
  Generation row;
};

// Stores the answer to a paid request by attempt id and nonce, whoever holds the lease by now. When the
// generation has come to rest meanwhile, it rises again: what was paid for is kept.
Status KeepAnswer(const PipelineParts& parts, const Claim& claim, const Attempt& attempt, bool park,
                  Kept* kept) {
  return parts.store->Commit([&](Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(kept->moved, transaction.records().MoveAttempt(attempt, kAnswerable));
    ASSIGN_OR_RETURN(auto found, transaction.records().FindGeneration(attempt.generation));
    kept->holds = false;
    if (!found) return OkStatus();
    kept->row = *found;
    Status held = park ? parts.queues->Park(transaction, claim.id(), claim.fence())
                       : parts.queues->Heartbeat(transaction, claim.id(), claim.fence());
    kept->holds = held.ok();
    if (!held.ok() && CodeOf(held) != Code::kStaleFence && CodeOf(held) != Code::kNotFound) return held;
    if (!kept->holds) return kept->moved ? Reopen(parts, transaction, attempt, &kept->row) : OkStatus();
    if (park) kept->row.stage = "waiting";
    RETURN_IF_ERROR(transaction.records().UpdateGeneration(kept->row));
    transaction.Mark(LandmarkOf(park ? "submitted" : "received", claim));
    return OkStatus();
  });
}

}  // namespace

void Run::StartAttempt(PartRun& part) {
  if (abandoned_) return;
  if (cancel_) return FailPart(part, Canceled(), false, AttemptState::kCanceled);
  if (DeadlinePassed()) return FailPart(part, PastDeadline(), false, AttemptState::kAbandoned);
  if (!part.resolved && !hosted(part)) {  // a worker of the host's reads references itself
    return Resolve(part, 0, [this, &part](const Status& status) {
      if (status.ok()) return StartAttempt(part);
      const Failure failure{.error_class = ErrorClass::kInvalid, .message = InfoOf(status).message};
      FailPart(part, failure, false, AttemptState::kUnsent);
    });
  }
  if (part.adapter->billed() && parts_.queues->LeaseLeftMs() < kMinLeaseMs)
    return EndWith(Outcome::Defer(1000, "the lease was about to run out"));
  int64_t wait_ms = 0;
  if (!part.place) part.place = pipeline_->gate_.Enter(part.at.provider, &wait_ms);
  if (!part.place) {
    if (OnlyPending(part)) return EndWith(Outcome::Defer(wait_ms));
    return After(wait_ms, [this, &part] { StartAttempt(part); });  // the siblings are under way
  }

  Attempt attempt;
  attempt.id = parts_.ids->Next();
  attempt.nonce = parts_.ids->Next().text();
  attempt.generation = generation_.id;
  attempt.part = part.row.part;
  attempt.attempt_try = part.tries + 1;
  attempt.provider = part.at.provider;
  attempt.model = part.at.model;
  attempt.created_ms = attempt.updated_ms = parts_.clock->WallMs();
  if (hosted(part)) {  // no answer to wait for: the job that is enqueued with it is the handle
    attempt.state = AttemptState::kSubmitted;
    attempt.remote_id = attempt.id.text();
  }
  Status intent = Update([&](Transaction& transaction, Generation& row) -> Status {
    RETURN_IF_ERROR(transaction.records().InsertAttempt(attempt));
    if (hosted(part)) RETURN_IF_ERROR(Enlist(transaction, part, attempt));
    if (part.adapter->billed())
      RETURN_IF_ERROR(transaction.ledger().Inherit(attempt.generation, attempt.part, attempt.id));
    const bool first = row.status == GenerationStatus::kPending;
    row.status = GenerationStatus::kProcessing;
    row.stage = part.adapter->local() ? "running" : hosted(part) ? "waiting" : "submitting";
    row.attempts += 1;
    if (row.started_ms < 0) row.started_ms = attempt.created_ms;
    RETURN_IF_ERROR(transaction.records().UpdateGeneration(row));
    if (first)
      RETURN_IF_ERROR(AppendGenerationEvent(parts_, transaction, "generation.processing", row, {}).status());
    transaction.Mark(LandmarkOf("intent", claim_));
    return OkStatus();
  });
  if (CodeOf(intent) == Code::kUnknownOutcome) {
    // It may stand, and then nobody else could tell that nothing was sent for it.
    part.attempt = attempt;
    return Unsend(part, Outcome::Defer(0));
  }
  if (!intent.ok()) return Trouble(intent);
  part.attempt = attempt;
  part.tries = attempt.attempt_try;
  if (hosted(part)) {
    parked_ = true;
    return Wait(part, 0);
  }
  part.sent_here = true;
  if (part.adapter->local()) return Draw(part);
  if (cancel_ || abandoned_) return Unsend(part, Outcome::Defer(0));
  if (parts_.queues->LeaseLeftMs() < kMinLeaseMs)
    return Unsend(part, Outcome::Defer(1000, "the lease was about to run out"));
  Send(part);
}

// Nothing left: the attempt is not one that anybody could have been paid for.
void Run::Unsend(PartRun& part, const Outcome& outcome) {
  part.attempt->state = AttemptState::kUnsent;
  Status moved = Update([&](Transaction& transaction, Generation&) {
    return transaction.records().MoveAttempt(*part.attempt, kIntentOnly).status();
  });
  const Code code = CodeOf(moved);
  if (code == Code::kStaleFence || code == Code::kClosed || code == Code::kNotFound) return Trouble(moved);
  if (!moved.ok()) return After(kUnsendRetryMs, [this, &part, outcome] { Unsend(part, outcome); });
  EndWith(outcome);
}

void Run::Send(PartRun& part) {
  auto request = part.adapter->BuildSubmit(part.request, part.attempt->id,
                                           pipeline_->WebhookUrl(*part.adapter, part.attempt->id));
  if (!request.ok()) {
    ErrorInfo info = InfoOf(request.status());
    return FailPart(part, {.error_class = ErrorClass::kInvalid, .message = info.message}, false,
                    AttemptState::kUnsent);
  }
  ++pipeline_->sending_;
  part.sent_mono = parts_.clock->MonotonicMs();
  Landmarks* const landmarks = parts_.landmarks;
  if (landmarks != nullptr) landmarks->Pass(LandmarkOf("post", claim_), Landmarks::kBefore);
  parts_.http->Send(std::move(*request),
                    [self = shared_from_this(), landmarks, &part](HttpResponse response) {
                      if (landmarks != nullptr)
                        landmarks->Pass(LandmarkOf("post", self->claim_), Landmarks::kAfter);
                      self->Do([self, &part, response = std::move(response)] {
                        if (Unanswered(part))
                          self->Answer(part, response);  // else its webhook was here first
                        --self->pipeline_->sending_;
                      });
                    });
}

// Somebody else has stored what became of this attempt: its webhook, or another process.
void Run::Adopt(PartRun& part) {
  std::optional<Attempt> now;
  Status read = parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(now, snapshot.records().FindAttempt(part.attempt->id));
    return OkStatus();
  });
  if (!read.ok()) return Trouble(read);
  if (!now || now->state != AttemptState::kSubmitted) return EndWith(Outcome::Defer(0));  // from the rows
  part.attempt = now;
  part.sent_here = false;
  Wait(part, 0);
}

void Run::Answer(PartRun& part, HttpResponse response) {
  SubmitAnswer answer = part.adapter->ParseSubmit(response);
  const bool accepted = answer.kind == SubmitAnswer::kSubmitted || answer.kind == SubmitAnswer::kReceived;
  if (accepted) pipeline_->gate_.Accepted(part.at.provider);
  if (!accepted && IsOverload(response, answer.failure))
    pipeline_->gate_.Overloaded(part.at.provider, part.sent_mono, answer.failure.retry_after_ms);
  switch (answer.kind) {
    case SubmitAnswer::kSubmitted:
      return Submitted(part, answer.remote);
    case SubmitAnswer::kReceived:
      return Received(part, response);
    case SubmitAnswer::kRejected:
      return Rejected(part, answer.failure);
    case SubmitAnswer::kUnknown:
      return ResolveUnknown(part, answer.failure.message);
  }
}

// Accepted: the handle is what was paid for.
void Run::Submitted(PartRun& part, const RemoteHandle& remote) {
  Attempt attempt = *part.attempt;
  attempt.state = AttemptState::kSubmitted;
  attempt.remote_id = remote.id;
  attempt.status_url = remote.status_url;
  attempt.result_url = remote.result_url;
  attempt.cancel_url = remote.cancel_url;
  attempt.updated_ms = parts_.clock->WallMs();
  Kept kept;
  Status stored = KeepAnswer(parts_, claim_, attempt, /*park=*/true, &kept);
  if (CodeOf(stored) == Code::kConflict)
    return RestUnknown(part, "the provider answered with the id of another request");
  if (!stored.ok() && CodeOf(stored) != Code::kClosed && !abandoned_) {
    // Paid for and not stored: keep trying, the handle lives only here.
    parts_.log->Write(LogLevel::kError, "pipeline", "a paid request's handle could not be stored yet",
                      {{"generation", generation_.id.text()}, {"remoteId", remote.id}});
    return After(1000, [this, &part, remote] { Submitted(part, remote); });
  }
  if (!stored.ok()) return;
  if (!kept.holds) return Lost();
  generation_ = kept.row;
  parked_ = true;
  if (!part.place) part.place = pipeline_->gate_.Occupy(part.at.provider);  // found in the provider's list
  if (abandoned_) return;
  if (!kept.moved) return Adopt(part);
  part.attempt = attempt;
  part.sent_here = false;
  Wait(part, 500);
}

void Run::Received(PartRun& part, const HttpResponse& response) {
  Attempt attempt = *part.attempt;
  attempt.spool_key = "spool/" + attempt.id.text();
  attempt.state = AttemptState::kReceived;
  attempt.updated_ms = parts_.clock->WallMs();
  // The whole answer, durable, before anything looks into it.
  std::string spool = fmt::format("{}\n{}", response.status, response.body);
  Status stored = parts_.media->blobs()->Put(attempt.spool_key, spool);
  Kept kept;
  if (stored.ok()) stored = KeepAnswer(parts_, claim_, attempt, /*park=*/false, &kept);
  if (!stored.ok() && CodeOf(stored) != Code::kClosed && !abandoned_) {
    return After(1000, [this, &part, response] { Received(part, response); });
  }
  if (!stored.ok()) return;
  if (!kept.holds) return Lost();
  if (abandoned_) return;
  if (!kept.moved) return EndWith(Outcome::Defer(0));  // look at the rows again
  part.attempt = attempt;
  ReadSpool(part);
}

// Rejected for certain: nothing was accepted, nothing is owed. Free to try again, within the queue's tries
// and the deadline.
void Run::Rejected(PartRun& part, const Failure& failure) {
  const RetryPolicy retry = parts_.queues->SettingsOf(claim_.job.queue).retry;
  const bool busy = IsBusy(failure);
  const bool last = !failure.retryable || (!busy && claim_.job.tries + 1 >= retry.tries);
  part.place.reset();
  ++part.refusals;
  const bool leave =
      last || (busy && (failure.retry_after_ms >= kLongHintMs || part.refusals >= retry.tries));
  if (leave && part.row.choice + 1 < request_.choices() && MayHelpElsewhere(failure))
    return FallBack(part, failure);
  if (last) return FailPart(part, failure, false, AttemptState::kRejected);
  part.attempt->state = AttemptState::kRejected;
  part.attempt->error_json = FailureJson(failure, false);
  part.attempt->updated_ms = parts_.clock->WallMs();
  bool moved = false;
  Status stored = Update([&](Transaction& transaction, Generation& row) -> Status {
    ASSIGN_OR_RETURN(moved, transaction.records().MoveAttempt(*part.attempt, kAnswerable));
    if (!moved) return OkStatus();
    row.stage = "queued";
    return transaction.records().UpdateGeneration(row);
  });
  if (!stored.ok()) return Trouble(stored);
  if (!moved) return Adopt(part);
  int64_t after_ms = failure.retry_after_ms >= 0 ? failure.retry_after_ms : (busy ? kRateLimitedMs : -1);
  if (!OnlyPending(part)) {  // the siblings are under way: this part tries again beside them
    return After(std::max<int64_t>(after_ms, retry.base_ms), [this, &part] { StartAttempt(part); });
  }
  EndWith(busy ? Outcome::Defer(after_ms, failure.message) : Outcome::Retry(failure.message, after_ms));
}

}  // namespace mediagen
