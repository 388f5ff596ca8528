#include "api/queue_documents.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/job_results.h"
#include "base/clock.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace mediagen {
namespace {

constexpr size_t kMaxQueues = 32;  // of one claim
constexpr int64_t kMaxDelayMs = int64_t{400} * 86'400'000;

std::string TimeOrNull(int64_t wall_ms) { return wall_ms < 0 ? "null" : '"' + FormatTime(wall_ms) + '"'; }
std::string_view DocumentOrNull(std::string_view json) { return json.empty() ? "null" : json; }
std::string TextOrNull(std::string_view text) {
  if (text.empty()) return "null";
  std::string quoted;
  AppendJsonString(text, &quoted);
  return quoted;
}

// Its own progress, or, as long as it has none, how far its children are.
std::string ProgressOf(const Job& job, const Family* family) {
  if (!job.progress_json.empty() || family == nullptr) return std::string(DocumentOrNull(job.progress_json));
  const double fraction =
      family->units == 0 ? 0 : static_cast<double>(family->units_done) / static_cast<double>(family->units);
  return fmt::format(R"({{"fraction":{:.4f},"current":{},"total":{},"message":null}})", fraction,
                     family->units_done, family->units);
}

std::string FamilyOrNull(const Family* family) {
  if (family == nullptr) return "null";
  return fmt::format(R"({{"total":{},"pending":{},"failed":{},"canceled":{}}})", family->children,
                     family->pending, family->failed, family->canceled);
}

std::string ResultOf(const Job& job) {
  if (job.result_blob.empty()) return std::string(DocumentOrNull(job.result_json));
  return fmt::format(R"({{"blob":{},"about":{}}})", TextOrNull(job.result_blob), job.result_json);
}

}  // namespace

StatusOr<std::vector<Id>> EnqueueAll(Transaction& transaction, Queues& queues, std::span<const NewJob> jobs) {
  std::vector<Id> ids;
  ids.reserve(jobs.size());
  for (const NewJob& job : jobs) {
    ASSIGN_OR_RETURN(Id id, queues.Enqueue(transaction, job));
    ids.push_back(id);
  }
  return ids;
}

std::string JobIdsDocument(std::span<const Id> ids) {
  std::string out = R"({"jobs":[)";
  for (size_t i = 0; i < ids.size(); ++i)
    fmt::format_to(std::back_inserter(out), "{}\"{}\"", i == 0 ? "" : ",", ids[i].text());
  return out + "]}";
}

StatusOr<std::vector<std::string>> ParseQueueNames(std::string_view names) {
  std::vector<std::string> queues;
  for (size_t begin = 0; begin <= names.size();) {
    size_t end = std::min(names.find(',', begin), names.size());
    std::string_view name = Trim(names.substr(begin, end - begin));
    RETURN_IF_ERROR(CheckQueue(name, false));
    if (std::find(queues.begin(), queues.end(), name) == queues.end()) queues.emplace_back(name);
    if (queues.size() > kMaxQueues)
      return Error(Code::kInvalid, fmt::format("A claim names at most {} queues.", kMaxQueues));
    begin = end + 1;
  }
  return queues;
}

StatusOr<std::string> ParseAnyQueueName(std::string_view name) {
  if (!IsInternalQueue(name)) RETURN_IF_ERROR(CheckQueue(name, false));
  return std::string(name);
}

Status CheckJobIsHosts(const JobStore& jobs, const Id& id) {
  ASSIGN_OR_RETURN(std::optional<Job> job, jobs.Find(id));
  if (!job)
    return Error(Code::kNotFound, fmt::format("There is no job {}.", id.text()), {.object = id.text()});
  if (!IsInternalQueue(job->queue) && !IsProviderQueue(job->queue)) return OkStatus();
  return Error(Code::kForbidden, fmt::format("Job {} is mediagen's own.", id.text()),
               {.hint = "Cancel or retry its generation instead.", .object = id.text()});
}

StatusOr<DeadJobs> ParseDeadJobs(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The retry request", {.max_bytes = 4096}));
  FieldReader fields(json, "The retry request");
  DeadJobs dead;
  fields.String("queue", &dead.queue, {.required = true, .max_bytes = 64});
  fields.String("kind", &dead.kind, {.max_bytes = 128});
  RETURN_IF_ERROR(fields.Finish());
  RETURN_IF_ERROR(CheckQueue(dead.queue, true));
  return dead;
}

std::string RetriedDocument(const Queues::Retried& retried) {
  return fmt::format(R"({{"retried":{},"inConflict":{}}})", retried.retried, retried.in_conflict);
}

StatusOr<Outcome> ParseOutcome(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The outcome", {.max_bytes = kLargestResult + 4096}));
  FieldReader fields(json, "The outcome");
  std::string name;
  fields.String("outcome", &name,
                {.required = true, .one_of = {"done", "retry", "defer", "discard", "cancel"}});
  if (!fields.ok()) return fields.Finish();
  Outcome outcome;
  if (name == "done") {
    const Json* result = fields.Take("result");
    if (result != nullptr) outcome.result_json = Dump(*result);
  } else if (name == "retry" || name == "defer") {
    outcome.kind = name == "retry" ? Outcome::kRetry : Outcome::kDefer;
    if (outcome.kind == Outcome::kDefer) outcome.after_ms = 0;
    fields.Int("afterMs", &outcome.after_ms, 0, kMaxDelayMs);
    fields.String("reason", &outcome.reason, {.max_bytes = 4096});
  } else if (name == "discard") {
    outcome.kind = Outcome::kDiscard;
    fields.String("reason", &outcome.reason, {.max_bytes = 4096});
  } else {
    outcome.kind = Outcome::kCancel;
  }
  RETURN_IF_ERROR(fields.Finish());
  return outcome;
}

StatusOr<std::string> ParseProgress(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The progress", {.max_bytes = 16 << 10}));
  FieldReader fields(json, "The progress");
  double fraction = 0;
  int64_t count = 0;
  std::string message;
  fields.Number("fraction", &fraction, 0, 1);
  fields.Int("current", &count, 0, INT64_MAX);
  fields.Int("total", &count, 0, INT64_MAX);
  fields.String("message", &message, {.max_bytes = 1024});
  RETURN_IF_ERROR(fields.Finish());
  return Dump(json);
}

StatusOr<JobLine> ParseLogLine(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The log line", {.max_bytes = 16 << 10}));
  FieldReader fields(json, "The log line");
  JobLine line;
  fields.String("message", &line.message, {.required = true, .max_bytes = 4096});
  fields.String("level", &line.level, {.one_of = {"debug", "info", "warning", "error"}});
  RETURN_IF_ERROR(fields.Finish());
  return line;
}

StatusOr<std::string> ParseCheckpoint(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The checkpoint", {.max_bytes = 64 << 10}));
  return Dump(json);
}

StatusOr<std::string> JobDocument(const JobStore& jobs, const Id& id) {
  ASSIGN_OR_RETURN(std::optional<Job> job, jobs.Find(id));
  if (!job)
    return Error(Code::kNotFound, fmt::format("There is no job {}.", id.text()), {.object = id.text()});
  ASSIGN_OR_RETURN(std::optional<Family> family, jobs.FindFamily(id));
  return JobDocument(*job, family ? &*family : nullptr);
}

std::string JobDocument(const Job& job, const Family* family) {
  // The period that a unique key was made in stands behind it.
  const std::string_view unique_key = std::string_view(job.unique_key).substr(0, job.unique_key.find('\n'));
  return fmt::format(
      R"({{"id":"{}","queue":{},"kind":{},"state":"{}","user":{},"keys":{{"provider":{},"model":{}}},)"
      R"("payload":{},"priority":{},"cost":{},"runAt":{},"fence":{},"tries":{},"maxTries":{},"timeoutMs":{},)"
      R"("progress":{},"checkpoint":{},"result":{},"uniqueKey":{},"parent":{},"children":{},"error":{},)"
      R"("createdAt":{},"finishedAt":{},"cancelRequested":{}}})",
      job.id.text(), TextOrNull(job.queue), TextOrNull(job.kind), JobStateName(job.state),
      TextOrNull(job.user), TextOrNull(job.provider_key), TextOrNull(job.model_key),
      DocumentOrNull(job.payload_json), job.priority, job.cost, TimeOrNull(job.run_at_ms), job.fence,
      job.tries, job.max_tries < 0 ? "null" : fmt::format("{}", job.max_tries), job.timeout_ms,
      ProgressOf(job, family), DocumentOrNull(job.checkpoint_json), ResultOf(job), TextOrNull(unique_key),
      job.parent.empty() ? "null" : '"' + job.parent.text() + '"', FamilyOrNull(family),
      DocumentOrNull(job.error_json), TimeOrNull(job.created_ms), TimeOrNull(job.finished_ms),
      job.cancel_requested);
}

std::string ClaimsDocument(std::span<const Claim> claims) {
  std::string out = "[";
  for (const Claim& claim : claims) {
    const std::string document = JobDocument(claim.job);
    if (out.size() == 1)
      out.reserve((document.size() + 16) * claims.size() + 16);  // mostly alike
    else
      out += ',';
    out += document;
  }
  out += ']';
  return out;
}

}  // namespace mediagen
