// Settle: blobs are durable; now the rows that name them, the state and its event, in one transaction.
#include "fmt/format.h"
#include "pipeline/documents.h"
#include "pipeline/run.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr AttemptState kBeforeEnd[] = {AttemptState::kIntent, AttemptState::kUnknown,
                                       AttemptState::kSubmitted, AttemptState::kReceived,
                                       AttemptState::kSucceeded};

}  // namespace

void Run::SettlePart(PartRun& part) {
  if (part.stored.empty()) {
    Failure failure = part.some_failed ? part.download_failure
                                       : Failure{.error_class = ErrorClass::kServer,
                                                 .message = "The provider finished without a picture."};
    return FailPart(part, failure, adapter_->billed(), AttemptState::kFailed);
  }
  part.attempt->state = AttemptState::kSucceeded;
  part.attempt->updated_ms = parts_.clock->WallMs();
  Part done = part.row;
  done.state = "done";
  if (part.some_failed) done.error_json = FailureJson(part.download_failure, adapter_->billed());
  bool concluded = false;
  GenerationStatus status = GenerationStatus::kProcessing;
  Status stored = Update([&](Transaction& transaction, Generation& row) -> Status {
    RETURN_IF_ERROR(transaction.records().MoveAttempt(*part.attempt, kBeforeEnd).status());
    for (const Output& output : part.stored) {
      RETURN_IF_ERROR(transaction.records().PutOutput(output));
      RETURN_IF_ERROR(AppendOutputEvent(parts_, transaction, output));
    }
    RETURN_IF_ERROR(transaction.records().UpdatePart(done));
    row.stage = "storing";
    ASSIGN_OR_RETURN(concluded, Conclude(parts_, transaction, &row));
    status = row.status;
    return concluded ? parts_.queues->Finish(transaction, claim_.id(), claim_.fence(), Outcome::Done())
                     : OkStatus();
  });
  if (CodeOf(stored) == Code::kNotFound) {
    // The generation was erased while it ran: what was stored for it goes, too.
    Status noted = parts_.store->Commit([&](Transaction& transaction) -> Status {
      for (const Output& output : part.stored)
        RETURN_IF_ERROR(transaction.records().AddTombstone(output.blob_key, parts_.clock->WallMs()));
      return OkStatus();
    });
    if (!noted.ok()) return Trouble(noted);
    return EndWith(Outcome::Discard("its generation was deleted"));
  }
  if (!stored.ok()) return Trouble(stored);
  part.row = done;
  if (!part.attempt->spool_key.empty())
    (void)parts_.media->blobs()->Remove(part.attempt->spool_key);  // a leftover is swept
  if (!concluded) return;
  (status == GenerationStatus::kCompleted ? pipeline_->completed_ : pipeline_->failed_).Add();
  End();
}

void Run::FailPart(PartRun& part, const Failure& failure, bool charged, AttemptState attempt_state) {
  Part failed = part.row;
  failed.state = "failed";
  failed.error_json = FailureJson(failure, charged);
  bool concluded = false;
  Status stored = Update([&](Transaction& transaction, Generation& row) -> Status {
    if (part.attempt) {
      part.attempt->state = attempt_state;
      part.attempt->error_json = failed.error_json;
      part.attempt->updated_ms = parts_.clock->WallMs();
      RETURN_IF_ERROR(transaction.records().MoveAttempt(*part.attempt, kBeforeEnd).status());
    }
    RETURN_IF_ERROR(transaction.records().UpdatePart(failed));
    ASSIGN_OR_RETURN(concluded, Conclude(parts_, transaction, &row));
    if (!concluded) return OkStatus();
    return parts_.queues->Finish(
        transaction, claim_.id(), claim_.fence(),
        row.status == GenerationStatus::kCanceled ? Outcome::Cancel() : Outcome::Done());
  });
  if (!stored.ok()) return Trouble(stored);
  part.row = failed;
  if (!concluded) return;
  pipeline_->failed_.Add();
  End();
}

}  // namespace mediagen
