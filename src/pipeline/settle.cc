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
    return FailPart(part, failure, part.adapter->billed(), AttemptState::kFailed);
  }
  part.attempt->state = AttemptState::kSucceeded;
  part.attempt->updated_ms = parts_.clock->WallMs();
  Part done = part.row;
  done.state = "done";
  if (part.some_failed) done.error_json = FailureJson(part.download_failure, part.adapter->billed());
  bool concluded = false;
  GenerationStatus status = GenerationStatus::kProcessing;
  Status stored = Update([&](Transaction& transaction, Generation& row) -> Status {
    RETURN_IF_ERROR(transaction.records().MoveAttempt(*part.attempt, kBeforeEnd).status());
    if (part.adapter->billed()) RETURN_IF_ERROR(Spend(parts_, transaction, *part.attempt));
    for (const Output& output : part.stored) {
      if (part.adopting) RETURN_IF_ERROR(MayAdopt(transaction.records(), output));
      RETURN_IF_ERROR(transaction.records().PutOutput(output));
      RETURN_IF_ERROR(AppendOutputEvent(parts_, transaction, output));
    }
    RETURN_IF_ERROR(transaction.records().UpdatePart(done));
    row.stage = "storing";
    ASSIGN_OR_RETURN(concluded, Conclude(parts_, transaction, &row));
    status = row.status;
    if (concluded)
      RETURN_IF_ERROR(parts_.queues->Finish(transaction, claim_.id(), claim_.fence(), Outcome::Done()));
    transaction.Mark(LandmarkOf("settle", claim_));
    return OkStatus();
  });
  if (part.adopting && CodeOf(stored) == Code::kConflict) {
    part.stored.clear();
    const Failure failure{.error_class = ErrorClass::kInvalid, .message = InfoOf(stored).message};
    return FailPart(part, failure, part.adapter->billed(), AttemptState::kFailed);
  }
  if (CodeOf(stored) == Code::kNotFound && !part.adopting) {  // what was uploaded stays its user's
    // The generation was erased while it ran: what was stored for it goes, too.
    Status noted = parts_.store->Commit([&](Transaction& transaction) -> Status {
      for (const Output& output : part.stored)
        RETURN_IF_ERROR(transaction.records().AddTombstone(output.blob_key, parts_.clock->WallMs()));
      RETURN_IF_ERROR(Spend(parts_, transaction, *part.attempt));
      return SettleErased(parts_, transaction, generation_.id);
    });
    if (!noted.ok()) return Trouble(noted);
    return EndWith(Outcome::Discard("its generation was deleted"));
  }
  if (!stored.ok()) return Trouble(stored);
  part.row = done;
  if (!part.attempt->spool_key.empty())
    (void)parts_.media->blobs()->Remove(part.attempt->spool_key);  // a leftover is swept
  if (!concluded) {
    // Where no part is left here and one is in the rows, its answer came late, by another process.
    if (OnlyPending(part)) EndWith(Outcome::Defer(0));
    return;
  }
  (status == GenerationStatus::kCompleted ? pipeline_->completed_ : pipeline_->failed_).Add();
  End();
}

void Run::FailPart(PartRun& part, const Failure& failure, bool charged, AttemptState attempt_state) {
  part.place.reset();
  if (part.attempt && part.attempt->cost_micros > 0) charged = true;  // the provider said so
  Part failed = part.row;
  failed.state = "failed";
  failed.error_json = FailureJson(failure, charged);
  const bool rejected = part.attempt && attempt_state == AttemptState::kRejected;
  const int64_t now = parts_.clock->WallMs();
  bool concluded = false, moved = false;
  Status stored = Update([&](Transaction& transaction, Generation& row) -> Status {
    if (part.attempt) {
      part.attempt->state = attempt_state;
      part.attempt->error_json = failed.error_json;
      part.attempt->updated_ms = parts_.clock->WallMs();
      ASSIGN_OR_RETURN(moved, transaction.records().MoveAttempt(
                                  *part.attempt, rejected ? std::span<const AttemptState>(kAnswerable)
                                                          : std::span<const AttemptState>(kBeforeEnd)));
      if (rejected && !moved) return OkStatus();
      if (moved && charged) RETURN_IF_ERROR(Spend(parts_, transaction, *part.attempt));
      if (moved && !charged) RETURN_IF_ERROR(transaction.ledger().Refund(part.attempt->id, now));
    }
    // What was held for an attempt that never came to be.
    RETURN_IF_ERROR(transaction.ledger().Release(failed.generation, failed.part, now));
    RETURN_IF_ERROR(transaction.records().UpdatePart(failed));
    ASSIGN_OR_RETURN(concluded, Conclude(parts_, transaction, &row));
    transaction.Mark(LandmarkOf("settle", claim_));
    if (!concluded) return OkStatus();
    return parts_.queues->Finish(
        transaction, claim_.id(), claim_.fence(),
        row.status == GenerationStatus::kCanceled ? Outcome::Cancel() : Outcome::Done());
  });
  if (!stored.ok()) return Trouble(stored);
  if (rejected && !moved) return Adopt(part);  // its webhook knows better
  part.row = failed;
  if (!concluded) {
    // Where no part is left here and one is in the rows, its answer came late, by another process.
    if (OnlyPending(part)) EndWith(Outcome::Defer(0));
    return;
  }
  pipeline_->failed_.Add();
  End();
}

}  // namespace mediagen
