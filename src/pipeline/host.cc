// Work that the host does itself: a part becomes a job in the queue "provider:<name>", whose worker uploads
// what it makes and finishes the job with the outputs' ids.
//
// The job has the attempt's id and is enqueued in the transaction that writes the attempt as submitted: its
// row is the durable handle, and there is no moment at which one of the two exists without the other.
// Meanwhile the generation's own job is parked. What ends the host's job wakes every process; a look once a
// second is behind that, and is how progress is told.
#include <algorithm>

#include "fmt/format.h"
#include "jobs/provider_jobs.h"
#include "pipeline/documents.h"
#include "pipeline/run.h"
#include "pipeline/transition.h"
#include "provider/failure.h"
#include "provider/wire_adapter.h"

namespace mediagen {
namespace {

constexpr int64_t kLookMs = 1'000;

// What the worker is told. A seed is a decimal string, since JavaScript cannot hold a uint64.
std::string Payload(const Generation& generation, const Attempt& attempt, const PartRequest& request) {
  auto text = [](const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); };
  Json stored = Json::parse(generation.request_json, nullptr, false);
  Json payload = {
      {"generation", generation.id.text()},
      {"attempt", attempt.id.text()},
      {"part", attempt.part},
      {"user", generation.user},
      {"kind", request.kind},
      {"model", text(request.model)},
      {"prompt", request.prompt},
      {"negativePrompt", text(request.negative_prompt)},
      {"n", request.n},
      {"size", text(request.size)},
      {"aspectRatio", text(request.aspect_ratio)},
      {"seed", request.seed ? Json(std::to_string(*request.seed)) : Json(nullptr)},
      {"references", stored.is_object() ? stored.value("references", Json::array()) : Json::array()},
      {"options", request.options}};
  return Dump(payload);
}

Progress ProgressFrom(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  Progress progress;
  if (!json.is_object()) return progress;
  auto number = [&](const char* name) -> std::optional<int64_t> {
    auto it = json.find(name);
    return it != json.end() && it->is_number_integer() ? std::optional(it->get<int64_t>()) : std::nullopt;
  };
  if (auto it = json.find("fraction"); it != json.end() && it->is_number())
    progress.fraction = it->get<double>();
  progress.current = number("current");
  progress.total = number("total");
  progress.message = TextOf(json, "message");
  return progress;
}

ErrorClass ClassFrom(const Json& error) {
  constexpr ErrorClass kAll[] = {ErrorClass::kAuth,       ErrorClass::kBilling,  ErrorClass::kInvalid,
                                 ErrorClass::kSafety,     ErrorClass::kNotFound, ErrorClass::kRateLimited,
                                 ErrorClass::kOverloaded, ErrorClass::kServer,   ErrorClass::kTimeout,
                                 ErrorClass::kCanceled,   ErrorClass::kExpired};
  for (const char* name : {"class", "code"}) {
    for (ErrorClass value : kAll) {
      if (TextOf(error, name) == ErrorClassName(value)) return value;
    }
  }
  return ErrorClass::kServer;
}

// The ids of {"outputs": ["<id>", …]}.
StatusOr<std::vector<Id>> OutputsOf(std::string_view result, int most) {
  Json json = Json::parse(result, nullptr, false);
  auto wrong = [](std::string_view why) {
    return Error(Code::kInvalid, fmt::format("The provider's worker finished with a result that {}.", why),
                 {.hint = R"(The result is {"outputs": ["<id of an upload>", …]}.)"});
  };
  if (!json.is_object() || !json.contains("outputs") || !json["outputs"].is_array())
    return wrong("names no outputs");
  std::vector<Id> ids;
  for (const Json& item : json["outputs"]) {
    auto id = Id::Parse(item.is_string() ? item.get<std::string>() : "");
    if (!id.ok()) return wrong("holds something that is no output's id");
    if (std::find(ids.begin(), ids.end(), *id) != ids.end())
      return wrong(fmt::format("names output {} twice", id->text()));
    ids.push_back(*id);
  }
  if (ids.size() > static_cast<size_t>(most))
    return wrong(fmt::format("names {} outputs where {} were asked for", ids.size(), most));
  return ids;
}

}  // namespace

// An upload becomes an output of one generation, once, and only of its own user's. The place in that
// generation is told apart so that a settle that runs twice writes the same.
Status Run::MayAdopt(const Records& records, const Output& adopted) const {
  ASSIGN_OR_RETURN(auto row, records.FindOutput(adopted.id));
  const std::string id = adopted.id.text();
  auto refuse = [&](std::string_view why) {
    return Error(Code::kConflict, fmt::format("The provider's worker finished with output {}, {}.", id, why),
                 {.object = id});
  };
  if (!row || (!row->user.empty() && row->user != generation_.user))
    return refuse("which is no upload of this generation's user");
  const bool ours = row->generation == generation_.id && row->part == adopted.part &&
                    row->attempt_try == adopted.attempt_try && row->index == adopted.index;
  if (!row->generation.empty() && !ours) return refuse("which belongs to a generation already");
  return OkStatus();
}

Status Run::Enlist(Transaction& transaction, const PartRun& part, const Attempt& attempt) const {
  NewJob job;
  job.id = attempt.id;
  job.queue = part.adapter->host_queue();
  job.kind = part.adapter->billed() ? kPaidKind : kFreeKind;
  job.user = generation_.user;
  job.priority = claim_.job.priority;
  job.payload_json = Payload(generation_, attempt, part.request);
  job.unique_key = "attempt/" + attempt.id.text();
  RETURN_IF_ERROR(parts_.queues->Enqueue(transaction, job).status());
  return parts_.queues->Park(transaction, claim_.id(), claim_.fence());
}

void Run::LookAtHosts() {
  if (!hosting_ || looking_.exchange(true)) return;  // a look that is to come sees everything
  Do([self = shared_from_this()] {
    self->looking_ = false;
    for (PartRun& part : self->runs_) {
      if (self->abandoned_ || self->ended_) return;
      if (part.waiting) self->LookAtHost(part);
    }
  });
}

void Run::PollHost(PartRun& part) {
  LookAtHost(part);
  if (!ended_ && part.waiting) After(kLookMs, [this, &part] { Poll(part); });
}

void Run::LookAtHost(PartRun& part) {
  std::optional<Job> job;
  Status read = parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(job, snapshot.jobs().Find(part.attempt->id));
    return OkStatus();
  });
  if (!read.ok()) return;  // the next look tells
  if (!job) {
    part.waiting = false;
    return FailPart(part, {.error_class = ErrorClass::kServer, .message = "The job of its provider is gone."},
                    part.adapter->billed(), AttemptState::kFailed);
  }
  switch (job->state) {
    case JobState::kDone:
      part.waiting = false;
      return Adopt(part, *job);
    case JobState::kDead:
    case JobState::kCanceled:
      part.waiting = false;
      return HostFailed(part, *job);
    default:
      if (!job->progress_json.empty()) Report(part, ProgressFrom(job->progress_json));
  }
}

void Run::CancelHost(PartRun& part) {
  Status asked = parts_.store->Commit([&](Transaction& transaction) {
    return parts_.queues->RequestCancel(transaction, part.attempt->id).status();
  });
  // A conflict says that it has ended, which the look tells, too.
  if (!asked.ok() && CodeOf(asked) != Code::kConflict) part.cancel_sent = false;
  LookAtHosts();
}

// Nobody was paid for a job that was never claimed; of a paid one that was, only the worker can say
// ("charged" of its error), and where it does not, the money counts as spent: it is never given back on a
// guess.
void Run::HostFailed(PartRun& part, const Job& job) {
  Json error = Json::parse(job.error_json, nullptr, false);
  if (!error.is_object()) error = Json::object();
  const std::string said = TextOf(error, "message");
  bool charged = part.adapter->billed() && job.fence > 0;
  if (charged && TextOf(error, "code") == CodeName(Code::kUnknownOutcome)) return RestUnknown(part, said);
  if (auto it = error.find("charged"); charged && it != error.end() && it->is_boolean())
    charged = it->get<bool>();
  if (job.state == JobState::kCanceled) {
    Failure failure{.error_class = ErrorClass::kCanceled, .message = "It was canceled."};
    if (!cancel_ && DeadlinePassed())
      failure = {.error_class = ErrorClass::kTimeout,
                 .message = "Its worker did not finish before the deadline."};
    return FailPart(part, failure, charged, AttemptState::kCanceled);
  }
  Failure failure{.error_class = ClassFrom(error),
                  .message = said.empty() ? "Its worker gave it up without a reason." : said};
  FailPart(part, failure, charged, AttemptState::kFailed);
}

void Run::Adopt(PartRun& part, const Job& job) {
  auto fail = [&](const Status& status) {
    FailPart(part, {.error_class = ErrorClass::kInvalid, .message = InfoOf(status).message},
             part.adapter->billed(), AttemptState::kFailed);
  };
  auto ids = OutputsOf(job.result_json, part.row.n);
  if (!ids.ok()) return fail(ids.status());
  std::vector<Output> adopted;
  Status status = parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    adopted.clear();
    for (const Id& id : *ids) {
      Output output;
      ASSIGN_OR_RETURN(auto row, snapshot.records().FindOutput(id));
      if (row) output = *row;
      output.id = id;
      output.index = part.first_index + static_cast<int>(adopted.size());
      output.part = part.row.part;
      output.attempt_try = part.attempt->attempt_try;
      RETURN_IF_ERROR(MayAdopt(snapshot.records(), output));
      output.generation = generation_.id;
      output.user = generation_.user;
      output.visibility = generation_.visibility;
      output.source = "generated";
      adopted.push_back(std::move(output));
    }
    return OkStatus();
  });
  if (CodeOf(status) == Code::kConflict) return fail(status);
  if (!status.ok()) return Trouble(status);
  part.stored = std::move(adopted);
  part.adopting = true;
  SettlePart(part);
}

// The worker of a paid job had been given up, and says after all what became of it: the part is pending
// again, and whoever works on it next reads the job.
Status Pipeline::HostEndedLate(Transaction& transaction, const Job& job) {
  ASSIGN_OR_RETURN(auto attempt, transaction.records().FindAttempt(job.id));
  if (!attempt) return OkStatus();
  ASSIGN_OR_RETURN(auto generation, transaction.records().FindGeneration(attempt->generation));
  if (!generation) return OkStatus();
  attempt->state = AttemptState::kSubmitted;
  attempt->error_json.clear();
  attempt->updated_ms = parts_.clock->WallMs();
  ASSIGN_OR_RETURN(const bool moved, transaction.records().MoveAttempt(*attempt, kAnswerable));
  return moved ? Reopen(parts_, transaction, *attempt, &*generation) : OkStatus();
}

}  // namespace mediagen
