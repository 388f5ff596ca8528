#include "pipeline/transition.h"

#include <algorithm>

#include "fmt/format.h"
#include "pipeline/documents.h"

namespace mediagen {
namespace {

UrlBase EventUrls(const PipelineParts& parts) {
  return {parts.public_base_url};
}  // an event has no request, hence no mount

// The first failed part's error, saying how many of the parts it stands for.
std::string ErrorOf(std::span<const Part> parts) {
  const Part* first = nullptr;
  size_t failed = 0;
  for (const Part& part : parts) {
    if (part.error_json.empty()) continue;
    ++failed;
    if (first == nullptr) first = &part;
  }
  if (first == nullptr) return "";
  if (parts.size() == 1) return first->error_json;
  Json error = Json::parse(first->error_json, nullptr, false);
  if (!error.is_object()) return first->error_json;
  error["message"] = fmt::format("{} of {} requests did not end well; the first: {}", failed, parts.size(),
                                 error.value("message", ""));
  return Dump(error);
}

}  // namespace

bool IsResting(GenerationStatus status) {
  return status != GenerationStatus::kPending && status != GenerationStatus::kProcessing;
}

bool HasPaidWork(std::span<const Attempt> attempts) {
  return std::any_of(attempts.begin(), attempts.end(), [](const Attempt& attempt) {
    switch (attempt.state) {
      case AttemptState::kIntent:
      case AttemptState::kSubmitted:
      case AttemptState::kReceived:
      case AttemptState::kUnknown:
      case AttemptState::kSucceeded:
        return true;
      default:
        return false;
    }
  });
}

Status Spend(const PipelineParts& parts, Transaction& transaction, const Attempt& attempt) {
  std::optional<int64_t> reported;
  if (attempt.cost_micros >= 0) reported = attempt.cost_micros;
  return transaction.ledger().Spend(attempt.id, reported, parts.clock->WallMs());
}

Status ReleaseAll(const PipelineParts& parts, Transaction& transaction, const Id& generation) {
  ASSIGN_OR_RETURN(auto rows, transaction.records().PartsOf(generation));
  for (const Part& row : rows)
    RETURN_IF_ERROR(transaction.ledger().Release(generation, row.part, parts.clock->WallMs()));
  return OkStatus();
}

Status SettleErased(const PipelineParts& parts, Transaction& transaction, const Id& generation) {
  Ledger& ledger = transaction.ledger();
  const int64_t now = parts.clock->WallMs();
  ASSIGN_OR_RETURN(auto entries, ledger.EntriesOf(generation));
  for (const LedgerEntry& entry : entries) {
    if (!entry.open) continue;
    RETURN_IF_ERROR(entry.attempt.empty() ? ledger.Release(generation, entry.part, now)
                                          : ledger.Spend(entry.attempt, std::nullopt, now));
  }
  return OkStatus();
}

Landmark LandmarkOf(std::string_view point, const Claim& claim) {
  return {point, claim.job.user, claim.id(), claim.fence()};
}

Status EnqueueGeneration(const PipelineParts& parts, Transaction& transaction, const Generation& generation,
                         int priority) {
  NewJob job;
  job.id = generation.job;
  job.queue = "generate";
  job.kind = "generation";
  job.user = generation.user;
  job.provider_key = generation.provider;
  job.priority = priority;
  job.payload_json = fmt::format(R"({{"generation":"{}"}})", generation.id.text());
  return parts.queues->Enqueue(transaction, job).status();
}

Status Rise(const PipelineParts& parts, Transaction& transaction, Generation* generation) {
  generation->job = parts.ids->Next();
  generation->status = GenerationStatus::kProcessing;
  generation->stage = "queued";
  generation->completed_ms = -1;
  generation->error_json.clear();
  generation->progress_json.clear();
  return EnqueueGeneration(parts, transaction, *generation, 0);
}

Status Reopen(const PipelineParts& parts, Transaction& transaction, const Attempt& attempt,
              Generation* generation) {
  ASSIGN_OR_RETURN(auto rows, transaction.records().PartsOf(attempt.generation));
  for (Part& part : rows) {
    if (part.part != attempt.part || part.state == "done") continue;
    part.state = "pending";
    part.error_json.clear();
    RETURN_IF_ERROR(transaction.records().UpdatePart(part));
    // Somebody may be at work on its siblings still: who ends the last of them finds this one.
    if (!IsResting(generation->status)) return OkStatus();
    RETURN_IF_ERROR(Rise(parts, transaction, generation));
    RETURN_IF_ERROR(transaction.records().UpdateGeneration(*generation));
    return AppendGenerationEvent(parts, transaction, "generation.processing", *generation, {}).status();
  }
  return OkStatus();
}

StatusOr<int64_t> AppendGenerationEvent(const PipelineParts& parts, Transaction& transaction,
                                        std::string_view type, const Generation& generation,
                                        std::span<const Output> outputs) {
  Event event;
  event.topic = "generations";
  event.type = type;
  event.object = generation.id.text();
  event.user = generation.user;
  event.visibility = generation.visibility;
  event.data_json = GenerationEventJson(generation, outputs, EventUrls(parts));
  event.at_ms = parts.clock->WallMs();
  return transaction.events().Append(event);
}

Status AppendOutputEvent(const PipelineParts& parts, Transaction& transaction, const Output& output) {
  Event event;
  event.topic = "outputs";
  event.type = "output.created";
  event.object = output.id.text();
  event.user = output.user;
  event.visibility = output.visibility;
  event.data_json.clear();
  AppendOutputJson(output, EventUrls(parts), &event.data_json);
  event.at_ms = parts.clock->WallMs();
  return transaction.events().Append(event).status();
}

StatusOr<int64_t> Rest(const PipelineParts& parts, Transaction& transaction, Generation* generation,
                       GenerationStatus status, std::span<const Output> outputs) {
  generation->status = status;
  generation->stage.clear();
  generation->completed_ms = parts.clock->WallMs();
  if (status == GenerationStatus::kCompleted && !generation->progress_json.empty()) {
    generation->progress_json = ProgressJson({.fraction = 1.0});
  }
  RETURN_IF_ERROR(transaction.records().UpdateGeneration(*generation));
  return AppendGenerationEvent(parts, transaction, fmt::format("generation.{}", StatusName(status)),
                               *generation, outputs);
}

StatusOr<bool> Conclude(const PipelineParts& parts, Transaction& transaction, Generation* generation) {
  ASSIGN_OR_RETURN(auto rows, transaction.records().PartsOf(generation->id));
  auto any = [&](std::string_view state) {
    return std::any_of(rows.begin(), rows.end(), [&](const Part& part) { return part.state == state; });
  };
  if (any("pending")) return false;
  ASSIGN_OR_RETURN(auto outputs, transaction.records().OutputsOf(std::span(&generation->id, 1)));
  RETURN_IF_ERROR(TakeCost(transaction.ledger(), generation));
  generation->error_json = ErrorOf(rows);
  GenerationStatus status = GenerationStatus::kFailed;
  if (any("unknown")) {
    status = GenerationStatus::kUnknown;
  } else if (!outputs.empty()) {
    status = GenerationStatus::kCompleted;  // partial results count: the error beside them explains what is
                                            // missing
  } else if (generation->cancel_requested) {
    status = GenerationStatus::kCanceled;
  }
  RETURN_IF_ERROR(Rest(parts, transaction, generation, status, outputs).status());
  if (outputs.empty()) return true;
  NewJob derive;
  derive.queue = kMediaQueue;
  derive.kind = "derive";
  derive.user = generation->user;
  derive.payload_json = fmt::format(R"({{"generation":"{}"}})", generation->id.text());
  derive.unique_key = "derive/" + generation->id.text();
  RETURN_IF_ERROR(parts.queues->Enqueue(transaction, derive).status());
  return true;
}

}  // namespace mediagen
