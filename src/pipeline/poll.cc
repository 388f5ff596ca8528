// Parked: the provider is at work. A waiting generation holds its slot and a timer, never a thread; polls
// that change nothing write nothing.
#include <algorithm>

#include "fmt/format.h"
#include "pipeline/documents.h"
#include "pipeline/run.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr int64_t kFirstPollMs = 500, kSlowestPollMs = 5'000;
constexpr int64_t kReportEveryMs = 1'000;  // one progress write a second per job
constexpr int64_t kCancelGraceMs =
    60'000;  // after the deadline, for the provider to say how the canceled request ended

RemoteHandle HandleOf(const Attempt& attempt) {
  return {attempt.remote_id, attempt.status_url, attempt.result_url, attempt.cancel_url};
}

}  // namespace

void Run::Wait(PartRun& part, int64_t delay_ms) {
  part.waiting = true;
  if (hosted(part)) hosting_ = pipeline_->hosting_ = true;
  part.waiting_mono = parts_.clock->MonotonicMs();
  if (part.poll_ms == 0) part.poll_ms = kFirstPollMs;
  if (!parked_) {
    Status parked = Update([&](Transaction& transaction, Generation& row) -> Status {
      RETURN_IF_ERROR(parts_.queues->Park(transaction, claim_.id(), claim_.fence()));
      row.stage = "waiting";
      return transaction.records().UpdateGeneration(row);
    });
    if (!parked.ok()) return Trouble(parked);
    parked_ = true;
  }
  PollAfter(part, cancel_ ? 0 : delay_ms);
}

// At most one timer polls: the one that was set last.
void Run::PollAfter(PartRun& part, int64_t delay_ms) {
  const uint64_t turn = ++part.poll_turn;
  After(delay_ms, [this, &part, turn] {
    if (part.poll_turn == turn) Poll(part);
  });
}

void Run::Poll(PartRun& part) {
  if (abandoned_ || ended_ || !part.waiting) return;
  if (hosted(part)) {
    if (cancel_ || DeadlinePassed()) CancelRemote(part);
    return GaveUp(part) ? void() : PollHost(part);
  }
  auto request = part.ready ? part.adapter->BuildResult(HandleOf(*part.attempt))
                            : part.adapter->BuildPoll(HandleOf(*part.attempt));
  if (!request.ok()) {
    return FailPart(part, {.error_class = ErrorClass::kServer, .message = InfoOf(request.status()).message},
                    true, AttemptState::kFailed);
  }
  part.polling = true;
  part.hinted = false;
  parts_.http->Send(std::move(*request), [self = shared_from_this(), &part](HttpResponse response) {
    self->Do([self, &part, response = std::move(response)] { self->Polled(part, response); });
  });
}

// Whether the deadline has passed for so long that nobody waits any more; then the part has failed. Its
// webhook may still come.
bool Run::GaveUp(PartRun& part) {
  if (!DeadlinePassed() ||
      parts_.clock->MonotonicMs() <= std::max(deadline_mono_, part.waiting_mono) + kCancelGraceMs)
    return false;
  part.waiting = false;
  FailPart(
      part,
      {.error_class = ErrorClass::kTimeout, .message = "The provider did not finish before the deadline."},
      part.adapter->billed(), AttemptState::kAbandoned);
  return true;
}

void Run::Polled(PartRun& part, const HttpResponse& response) {
  part.polling = false;
  if (abandoned_ || ended_ || !part.waiting) return;
  PollAnswer answer = part.ready ? part.adapter->ParseResult(response) : part.adapter->ParsePoll(response);
  if (answer.kind == PollAnswer::kReady && !part.ready) {
    part.ready = true;
    return Poll(part);
  }
  if (answer.kind == PollAnswer::kSucceeded || answer.kind == PollAnswer::kFailed) {
    part.waiting = false;
    return Ended(part, answer);
  }
  // Only what was found at work is canceled: what has ended was paid for, and is kept.
  if (cancel_ || DeadlinePassed()) CancelRemote(part);
  if (GaveUp(part)) return;
  if (answer.kind == PollAnswer::kTransient) {
    // The work goes on at the provider whether or not it answers us: ask more slowly, until the deadline.
    part.poll_ms = std::min(part.poll_ms * 2, kSlowestPollMs);
    if (++part.polls_failed % 20 == 1) {
      parts_.log->Write(LogLevel::kWarning, "pipeline", "a provider did not tell how a generation is doing",
                        {{"generation", generation_.id.text()}, {"error", answer.failure.message}});
    }
  } else {
    part.polls_failed = 0;
    part.poll_ms = std::min(part.poll_ms + part.poll_ms / 4, kSlowestPollMs);
    Report(part, answer.progress);
    if (ended_) return;
  }
  int64_t delay_ms = answer.next_poll_ms > 0 ? answer.next_poll_ms : part.poll_ms;
  if (answer.kind == PollAnswer::kTransient && answer.failure.retry_after_ms > 0)
    delay_ms = std::max(delay_ms, answer.failure.retry_after_ms);
  PollAfter(part, part.hinted ? 0 : delay_ms);
}

void Run::Hint(const Id& attempt) {
  Do([self = shared_from_this(), attempt] {
    if (self->abandoned_ || self->ended_) return;
    for (PartRun& part : self->runs_) {
      if (!part.attempt || part.attempt->id != attempt || part.row.state != "pending") continue;
      if (Unanswered(part)) return self->Adopt(part);
      if (!part.waiting) return;
      part.hinted = part.polling;  // what is under way may have been asked too early
      if (!part.polling) self->PollAfter(part, 0);
    }
  });
}

// Best effort: the poll that follows says what became of it.
void Run::CancelRemote(PartRun& part) {
  if (part.cancel_sent || abandoned_) return;
  part.cancel_sent = true;
  if (hosted(part)) return CancelHost(part);
  auto request = part.adapter->BuildCancel(HandleOf(*part.attempt));
  if (!request.ok()) return;
  parts_.http->Send(std::move(*request), [self = shared_from_this(), &part](HttpResponse response) {
    bool lost = response.progress != HttpProgress::kAnswered || response.status >= 500;
    if (lost) self->Do([self, &part] { part.cancel_sent = false; });  // asked again at the next poll
  });
}

void Run::Report(PartRun& part, const Progress& progress) {
  part.progress = progress;
  const int64_t now = parts_.clock->MonotonicMs();
  if (now - last_report_mono_ < kReportEveryMs) return;
  Progress whole = progress;
  if (runs_.size() > 1) {  // the mean over the parts; a part that has ended counts whole
    double sum = 0;
    for (const PartRun& run : runs_)
      sum += run.row.state != "pending" ? 1.0 : run.progress.fraction.value_or(0.0);
    whole.fraction = sum / static_cast<double>(runs_.size());
    whole.current.reset();
    whole.total.reset();
  }
  std::string json = ProgressJson(whole);
  if (json == last_progress_) return;
  Status stored = Update([&](Transaction& transaction, Generation& row) -> Status {
    RETURN_IF_ERROR(parts_.queues->Progress(transaction, claim_.id(), claim_.fence(), json));
    row.progress_json = json;
    RETURN_IF_ERROR(transaction.records().UpdateGeneration(row));
    return AppendGenerationEvent(parts_, transaction, "generation.progress", row, {}).status();
  });
  if (!stored.ok()) {
    if (CodeOf(stored) == Code::kStaleFence) Lost();
    return;  // progress is not worth failing for
  }
  last_report_mono_ = now;
  last_progress_ = std::move(json);
}

}  // namespace mediagen
