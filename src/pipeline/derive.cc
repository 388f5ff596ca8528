// Derive: the preview and thumbnails of a generation's pictures, one decode each, as a job that follows the
// settle. And the sweeps.
#include <algorithm>

#include "fmt/format.h"
#include "pipeline/documents.h"
#include "pipeline/pipeline.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr int kSweepBatch = 100;

}  // namespace

void Pipeline::DeriveJob(Claim claim) {
  Json payload = Json::parse(claim.job.payload_json, nullptr, false);
  auto id = Id::Parse(payload.is_object() ? payload.value("generation", "") : "");
  if (!id.ok()) return FinishDerive(claim, Outcome::Discard("the job names no generation"));
  std::vector<Output> outputs;
  Status read = parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(outputs, snapshot.records().OutputsOf(std::span(&*id, 1)));
    return OkStatus();
  });
  Status derived = read;
  for (const Output& output : outputs) {
    if (!derived.ok()) break;
    derived = parts_.media->Derive(output, EagerRecipes());
  }
  if (derived.ok()) return FinishDerive(claim, Outcome::Done());
  ErrorInfo info = InfoOf(derived);
  // A picture that cannot be decoded will not become one; everything else is worth another try. Variants are
  // made on demand in any case.
  const bool hopeless = info.code == Code::kInvalid || info.code == Code::kUnsupported ||
                        info.code == Code::kTooLarge || info.code == Code::kCorrupt;
  FinishDerive(claim,
               hopeless ? Outcome::Discard(info.message) : Outcome::Retry(info.message, info.retry_after_ms));
}

Status Pipeline::Sweep() {
  std::vector<std::string> keys;
  std::vector<Job> dead;
  RETURN_IF_ERROR(parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(keys, snapshot.records().Tombstones(kSweepBatch));
    ASSIGN_OR_RETURN(dead, snapshot.jobs().List("generate", JobState::kDead, Id{}, kSweepBatch));
    return OkStatus();
  }));
  for (const std::string& key : keys) {
    RETURN_IF_ERROR(
        parts_.media->blobs()->Remove(key));  // the file first: a crash between the two only repeats it
    RETURN_IF_ERROR(parts_.store->Commit(
        [&](Transaction& transaction) { return transaction.records().RemoveTombstone(key); }));
  }
  for (const Job& job : dead) {
    Json payload = Json::parse(job.payload_json, nullptr, false);
    auto id = Id::Parse(payload.is_object() ? payload.value("generation", "") : "");
    if (!id.ok()) continue;
    // A job that died by crashes never told its generation.
    RETURN_IF_ERROR(parts_.store->Commit([&](Transaction& transaction) -> Status {
      ASSIGN_OR_RETURN(auto row, transaction.records().FindGeneration(*id));
      if (!row || IsResting(row->status) || row->job != job.id) return OkStatus();
      ASSIGN_OR_RETURN(auto attempts, transaction.records().AttemptsOf(*id));
      // Paid work is not given up with the job that died over it: it is claimed again, and re-attaches.
      if (HasPaidWork(attempts)) return parts_.queues->Retry(transaction, job.id);
      ASSIGN_OR_RETURN(auto rows, transaction.records().PartsOf(*id));
      Failure failure{.error_class = ErrorClass::kServer,
                      .message = fmt::format("Its job ended after {} tries: {}", job.tries, job.error_json)};
      for (Part& part : rows) {
        if (part.state != "pending") continue;
        part.state = "failed";
        part.error_json = FailureJson(failure, false);
        RETURN_IF_ERROR(transaction.records().UpdatePart(part));
      }
      RETURN_IF_ERROR(ReleaseAll(parts_, transaction, *id));
      return Conclude(parts_, transaction, &*row).status();
    }));
  }
  return OkStatus();
}

}  // namespace mediagen
