#include "api/queue_documents.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/clock.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace mediagen {
namespace {

constexpr size_t kMaxJobs = 1000;        // one transaction holds the writer for all of them
constexpr size_t kMaxQueues = 32;        // of one claim
constexpr size_t kMaxPayload = 1 << 20;  // bytes; larger things are blobs
constexpr int64_t kMaxDelayMs = int64_t{400} * 86'400'000;
constexpr std::array<std::string_view, 2> kInternal = {"generate", "media"};

bool IsQueueName(std::string_view name) {
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("_-.:").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), fits);
}

Status CheckQueue(std::string_view name) {
  if (!IsQueueName(name)) {
    return Error(Code::kInvalid, fmt::format("\"{}\" is no name of a queue.", Shorten(name, 60)),
                 {.hint = "A name has 1 to 64 of a-z 0-9 _ - . : and begins with a letter.",
                  .object = Shorten(name, 60)});
  }
  if (!IsInternalQueue(name)) return OkStatus();
  return Error(Code::kForbidden, fmt::format("The queue \"{}\" is mediagen's own.", name),
               {.hint = "Submit a generation instead, or choose another name for your queue.",
                .object = std::string(name)});
}

// The text of a field that is an object (or anything, for results), bounded.
Status TakeDocument(FieldReader& fields, std::string_view name, bool any, std::string* out) {
  const Json* value = fields.Take(name);
  if (value == nullptr) return OkStatus();
  if (!any && !value->is_object()) {
    fields.Refuse(name, "must be an object");
    return OkStatus();
  }
  std::string text = Dump(*value);
  if (text.size() > kMaxPayload) {
    return Error(Code::kTooLarge,
                 fmt::format("\"{}\" has {} bytes; at most {} are taken.", name, text.size(), kMaxPayload),
                 {.hint = "Store it as a blob and pass its id.", .object = std::string(name)});
  }
  *out = std::move(text);
  return OkStatus();
}

std::string TimeOrNull(int64_t wall_ms) { return wall_ms < 0 ? "null" : '"' + FormatTime(wall_ms) + '"'; }
std::string_view DocumentOrNull(std::string_view json) { return json.empty() ? "null" : json; }
std::string TextOrNull(std::string_view text) {
  if (text.empty()) return "null";
  std::string quoted;
  AppendJsonString(text, &quoted);
  return quoted;
}

}  // namespace

bool IsInternalQueue(std::string_view queue) {
  return std::find(kInternal.begin(), kInternal.end(), queue) != kInternal.end();
}

StatusOr<NewJob> ParseNewJob(const Json& json, std::string_view what) {
  NewJob job;
  FieldReader fields(json, what);
  fields.String("queue", &job.queue, {.required = true, .max_bytes = 64});
  fields.String("kind", &job.kind, {.required = true, .max_bytes = 128});
  fields.String("user", &job.user, {.max_bytes = 256});
  fields.String("uniqueKey", &job.unique_key, {.max_bytes = 256});
  RETURN_IF_ERROR(TakeDocument(fields, "payload", false, &job.payload_json));
  int64_t priority = 0;
  fields.Int("priority", &priority, -1000, 1000);
  job.priority = static_cast<int>(priority);
  fields.Int("timeoutMs", &job.timeout_ms, 1, kMaxDelayMs);
  std::string run_at;
  fields.String("runAt", &run_at, {.max_bytes = 64});
  if (!run_at.empty()) {
    StatusOr<int64_t> at = ParseTime(run_at);
    at.ok() ? void(job.run_at_ms = *at) : fields.Fail(at.status());
  }
  Json keys = Json::object();
  fields.Object("keys", &keys);
  RETURN_IF_ERROR(fields.Finish());
  FieldReader key_fields(keys, fmt::format("\"keys\" of {}", what));
  key_fields.String("provider", &job.provider_key, {.max_bytes = 128});
  RETURN_IF_ERROR(key_fields.Finish());
  RETURN_IF_ERROR(CheckQueue(job.queue));
  return job;
}

StatusOr<std::vector<NewJob>> ParseNewJobs(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The jobs document", {.max_bytes = 16 << 20}));
  std::vector<NewJob> jobs;
  if (!json.is_array()) {
    ASSIGN_OR_RETURN(NewJob job, ParseNewJob(json, "The job"));
    jobs.push_back(std::move(job));
    return jobs;
  }
  if (json.empty() || json.size() > kMaxJobs) {
    return Error(Code::kInvalid,
                 fmt::format("{} jobs were given; 1 to {} are taken at once.", json.size(), kMaxJobs));
  }
  for (const Json& item : json) {
    ASSIGN_OR_RETURN(NewJob job, ParseNewJob(item, fmt::format("Job {}", jobs.size())));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

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
    RETURN_IF_ERROR(CheckQueue(name));
    if (std::find(queues.begin(), queues.end(), name) == queues.end()) queues.emplace_back(name);
    if (queues.size() > kMaxQueues)
      return Error(Code::kInvalid, fmt::format("A claim names at most {} queues.", kMaxQueues));
    begin = end + 1;
  }
  return queues;
}

StatusOr<Outcome> ParseOutcome(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The outcome", {.max_bytes = kMaxPayload + 4096}));
  FieldReader fields(json, "The outcome");
  std::string name;
  fields.String("outcome", &name,
                {.required = true, .one_of = {"done", "retry", "defer", "discard", "cancel"}});
  if (!fields.ok()) return fields.Finish();
  Outcome outcome;
  if (name == "done") {
    RETURN_IF_ERROR(TakeDocument(fields, "result", true, &outcome.result_json));
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

StatusOr<std::string> JobDocument(const JobStore& jobs, const Id& id) {
  ASSIGN_OR_RETURN(std::optional<Job> job, jobs.Find(id));
  if (!job)
    return Error(Code::kNotFound, fmt::format("There is no job {}.", id.text()), {.object = id.text()});
  return JobDocument(*job);
}

std::string JobDocument(const Job& job) {
  return fmt::format(
      R"({{"id":"{}","queue":{},"kind":{},"state":"{}","user":{},"keys":{{"provider":{}}},"payload":{},"priority":{},"runAt":{},)"
      R"("fence":{},"tries":{},"timeoutMs":{},"progress":{},"result":{},"uniqueKey":{},"parent":{},"error":{},"createdAt":{},)"
      R"("finishedAt":{},"cancelRequested":{}}})",
      job.id.text(), TextOrNull(job.queue), TextOrNull(job.kind), JobStateName(job.state),
      TextOrNull(job.user), TextOrNull(job.provider_key), DocumentOrNull(job.payload_json), job.priority,
      TimeOrNull(job.run_at_ms), job.fence, job.tries, job.timeout_ms, DocumentOrNull(job.progress_json),
      DocumentOrNull(job.result_json), TextOrNull(job.unique_key),
      job.parent.empty() ? "null" : '"' + job.parent.text() + '"', DocumentOrNull(job.error_json),
      TimeOrNull(job.created_ms), TimeOrNull(job.finished_ms), job.cancel_requested);
}

std::string ClaimsDocument(std::span<const Claim> claims) {
  std::string out = "[";
  for (const Claim& claim : claims) {
    if (out.size() > 1) out += ',';
    out += JobDocument(claim.job);
  }
  return out + "]";
}

}  // namespace mediagen
