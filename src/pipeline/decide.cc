// What a person decides of a generation: to cancel it, to try again, or to give up what nobody knows of.
#include <algorithm>

#include "fmt/format.h"
#include "pipeline/documents.h"
#include "pipeline/fallback.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr AttemptState kUnknownOnly[] = {AttemptState::kUnknown};

Status NotNow(const Generation& generation, std::string_view what) {
  return Error(
      Code::kConflict,
      fmt::format("Generation {} is {}: {}.", generation.id.text(), StatusName(generation.status), what),
      {.object = generation.id.text()});
}

// The unknown attempts of `part`, which from now on nobody waits for: they count as billed. An answer that
// comes all the same is still known by its attempt, and corrects that.
Status GiveUp(const PipelineParts& parts, Transaction& transaction, const Part& part) {
  ASSIGN_OR_RETURN(auto attempts, transaction.records().AttemptsOf(part.generation));
  for (Attempt& attempt : attempts) {
    if (attempt.part != part.part || attempt.state != AttemptState::kUnknown) continue;
    attempt.state = AttemptState::kAbandoned;
    attempt.updated_ms = parts.clock->WallMs();
    RETURN_IF_ERROR(transaction.records().MoveAttempt(attempt, kUnknownOnly).status());
    RETURN_IF_ERROR(Spend(parts, transaction, attempt));
  }
  return OkStatus();
}

Status CancelIt(const PipelineParts& parts, Transaction& transaction, Generation& generation) {
  if (IsResting(generation.status) || generation.cancel_requested) return OkStatus();
  generation.cancel_requested = true;
  ASSIGN_OR_RETURN(bool canceled_now, parts.queues->RequestCancel(transaction, generation.job));
  ASSIGN_OR_RETURN(auto attempts, transaction.records().AttemptsOf(generation.id));
  if (canceled_now && !HasPaidWork(attempts)) {
    RETURN_IF_ERROR(ReleaseAll(parts, transaction, generation.id));
    RETURN_IF_ERROR(TakeCost(transaction.ledger(), &generation));
    return Rest(parts, transaction, &generation, GenerationStatus::kCanceled, {}).status();
  }
  // Nobody holds the job, but the provider may have been paid: let a claim end it properly.
  if (canceled_now) RETURN_IF_ERROR(parts.queues->Retry(transaction, generation.job));
  return transaction.records().UpdateGeneration(generation);
}

Status RetryIt(const PipelineParts& parts, Transaction& transaction, Generation& generation) {
  if (!IsResting(generation.status)) return NotNow(generation, "it has not come to rest");
  ASSIGN_OR_RETURN(auto rows, transaction.records().PartsOf(generation.id));
  ASSIGN_OR_RETURN(GenerationRequest request, RequestFromJson(generation.request_json));
  bool any = false;
  for (Part& part : rows) {
    if (part.state != "failed" && part.state != "unknown") continue;
    RETURN_IF_ERROR(GiveUp(parts, transaction, part));
    part.state = "pending";
    part.choice = 0;  // whoever refused may have changed their mind
    part.error_json.clear();
    RETURN_IF_ERROR(transaction.records().UpdatePart(part));
    RETURN_IF_ERROR(ReservePart(parts, transaction, generation.user, request, part));
    any = true;
  }
  if (!any) return NotNow(generation, "nothing of it failed");
  const int64_t now = parts.clock->WallMs();
  if (generation.deadline_ms >= 0)
    generation.deadline_ms = now + generation.deadline_ms - generation.created_ms;
  generation.cancel_requested = false;
  generation.provider = request.provider;
  generation.model = request.model;
  RETURN_IF_ERROR(TakeCost(transaction.ledger(), &generation));
  RETURN_IF_ERROR(Rise(parts, transaction, &generation));
  RETURN_IF_ERROR(transaction.records().UpdateGeneration(generation));
  return AppendGenerationEvent(parts, transaction, "generation.processing", generation, {}).status();
}

Status AbandonIt(const PipelineParts& parts, Transaction& transaction, Generation& generation) {
  if (generation.status != GenerationStatus::kUnknown) return NotNow(generation, "nothing of it is unknown");
  ASSIGN_OR_RETURN(auto rows, transaction.records().PartsOf(generation.id));
  const Failure failure{.error_class = ErrorClass::kUnknownOutcome,
                        .message = "The request may have been paid for; its outcome was given up."};
  for (Part& part : rows) {
    if (part.state != "unknown") continue;
    RETURN_IF_ERROR(GiveUp(parts, transaction, part));
    part.state = "failed";
    part.error_json = FailureJson(failure, true);
    RETURN_IF_ERROR(transaction.records().UpdatePart(part));
  }
  return Conclude(parts, transaction, &generation).status();
}

}  // namespace

void Pipeline::Cancel(const Viewer& viewer, std::string_view id, std::string_view mount, RecordDone done) {
  auto change = [this](Transaction& t, Generation& generation) { return CancelIt(parts_, t, generation); };
  Amend(viewer, id, mount, change, std::move(done));
}

void Pipeline::Retry(const Viewer& viewer, std::string_view id, std::string_view mount, RecordDone done) {
  auto change = [this](Transaction& t, Generation& generation) { return RetryIt(parts_, t, generation); };
  Amend(viewer, id, mount, change, std::move(done));
}

void Pipeline::Abandon(const Viewer& viewer, std::string_view id, std::string_view mount, RecordDone done) {
  auto change = [this](Transaction& t, Generation& generation) { return AbandonIt(parts_, t, generation); };
  Amend(viewer, id, mount, change, std::move(done));
}

}  // namespace mediagen
