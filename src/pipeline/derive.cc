// The jobs of the queue "media": "derive" makes the preview and thumbnails of a generation's pictures, or of
// one output, as soon as they are stored; "refine" makes those again that were encoded in a hurry. And the
// sweeps.
#include <algorithm>

#include "fmt/format.h"
#include "pipeline/documents.h"
#include "pipeline/pipeline.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr int kSweepBatch = 100;
constexpr int kRefinePriority = -10;  // nobody waits for it

NewJob MediaJob(const char* kind, const Output& output) {
  NewJob job;
  job.queue = kMediaQueue;
  job.kind = kind;
  job.user = output.user;
  job.payload_json = fmt::format(R"({{"output":"{}"}})", output.id.text());
  job.unique_key = fmt::format("{}/{}", kind, output.id.text());
  return job;
}

NewJob RefineJob(const Output& output) {
  NewJob job = MediaJob("refine", output);
  job.priority = kRefinePriority;
  return job;
}

// The outputs that a job's payload names: {"generation"} or {"output"}.
StatusOr<std::vector<Output>> OutputsOf(const PipelineParts& parts, const Job& job) {
  const Json payload = Json::parse(job.payload_json, nullptr, false);
  auto named = [&](const char* field) {
    const auto found = payload.is_object() ? payload.find(field) : payload.end();
    return Id::Parse(found != payload.end() && found->is_string() ? found->get<std::string>() : "");
  };
  const StatusOr<Id> generation = named("generation"), output = named("output");
  std::vector<Output> outputs;
  if (!generation.ok() && !output.ok())
    return Error(Code::kInvalid, "the job names neither a generation nor an output");
  RETURN_IF_ERROR(parts.store->Read([&](const Snapshot& snapshot) -> Status {
    outputs.clear();
    if (generation.ok()) {
      ASSIGN_OR_RETURN(outputs, snapshot.records().OutputsOf(std::span(&*generation, 1)));
      return OkStatus();
    }
    ASSIGN_OR_RETURN(auto row, snapshot.records().FindOutput(*output));
    if (row) outputs.push_back(*row);
    return OkStatus();
  }));
  return outputs;
}

}  // namespace

Status EnqueueDerive(const PipelineParts& parts, Transaction& transaction, const Output& output) {
  if (output.kind != "image") return OkStatus();
  return parts.queues->Enqueue(transaction, MediaJob("derive", output)).status();
}

void Pipeline::DeriveJob(Claim claim) {
  std::vector<Output> drafts;
  auto work = [&]() -> Status {
    ASSIGN_OR_RETURN(auto outputs, OutputsOf(parts_, claim.job));
    for (const Output& output : outputs) {
      if (claim.job.kind == "refine") {
        RETURN_IF_ERROR(parts_.media->Refine(output));
        continue;
      }
      ASSIGN_OR_RETURN(const bool has_drafts, parts_.media->Derive(output, EagerRecipes()));
      if (has_drafts) drafts.push_back(output);
    }
    return OkStatus();
  };
  const Status done = work();
  if (done.ok()) return FinishDerive(claim, Outcome::Done(), drafts);
  // A picture that cannot be decoded will not become one; everything else is worth another try. Variants are
  // made on demand in any case.
  const ErrorInfo info = InfoOf(done);
  FinishDerive(claim, IsPicturesFault(info.code) ? Outcome::Discard(info.message)
                                                 : Outcome::Retry(info.message, info.retry_after_ms));
}

void Pipeline::FinishDerive(const Claim& claim, const Outcome& outcome, std::span<const Output> drafts) {
  Status finished = parts_.store->Commit([&](Transaction& transaction) -> Status {
    RETURN_IF_ERROR(parts_.queues->Finish(transaction, claim.id(), claim.fence(), outcome));
    for (const Output& output : drafts)
      RETURN_IF_ERROR(parts_.queues->Enqueue(transaction, RefineJob(output)).status());
    transaction.Mark(LandmarkOf("derive", claim));
    return OkStatus();
  });
  if (!finished.ok() && CodeOf(finished) != Code::kStaleFence) {
    parts_.log->Write(LogLevel::kError, "pipeline", "a job could not be finished; its lease will return it",
                      {{"job", claim.id().text()}, {"error", InfoOf(finished).message}});
  }
  parts_.queues->Released(claim.id());
}

void Pipeline::WantRefined(const Output& output) {
  // Whoever looked has an answer already; when this is lost, the next one who looks asks again.
  parts_.store->CommitAsync(
      [this, output](Transaction& transaction) {
        return parts_.queues->Enqueue(transaction, RefineJob(output)).status();
      },
      [](Status) {});
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
  return SweepUploads();
}

}  // namespace mediagen
