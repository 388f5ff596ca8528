#include "api/new_job.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/clock.h"
#include "fmt/format.h"
#include "jobs/provider_jobs.h"

namespace mediagen {
namespace {

constexpr size_t kMaxJobs = 1000;      // one transaction holds the writer for all of them
constexpr size_t kMaxItems = 100'000;  // of a batch
constexpr int kMaxDepth = 8;           // of children below children
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

// How many more jobs the document may hold, and how deep it is already.
struct Budget {
  size_t jobs = 0;
  int depth = 0;
};

StatusOr<NewJob> Parse(const Json& json, std::string_view what, Budget* budget);

void ReadKeys(FieldReader& fields, std::string_view what, NewJob* job) {
  Json keys = Json::object();
  fields.Object("keys", &keys);
  if (!fields.ok()) return;
  FieldReader inner(keys, fmt::format("\"keys\" of {}", what));
  inner.String("provider", &job->provider_key, {.max_bytes = 128});
  inner.String("model", &job->model_key, {.max_bytes = 128});
  Status status = inner.Finish();
  if (!status.ok()) fields.Fail(status);
}

void ReadTimes(FieldReader& fields, NewJob* job) {
  fields.Int("timeoutMs", &job->timeout_ms, 1, kMaxDelayMs);
  fields.Int("delayMs", &job->delay_ms, 0, kMaxDelayMs);
  std::string run_at;
  fields.String("runAt", &run_at, {.max_bytes = 64});
  if (run_at.empty()) return;
  StatusOr<int64_t> at = ParseTime(run_at);
  at.ok() ? void(job->run_at_ms = *at) : fields.Fail(at.status());
  if (fields.ok() && job->delay_ms >= 0) fields.Refuse("delayMs", "does not go with \"runAt\"");
}

// "unique": {"key", "states", "periodMs"}; "uniqueKey" is the short form of it.
void ReadUnique(FieldReader& fields, std::string_view what, NewJob* job) {
  fields.String("uniqueKey", &job->unique_key, {.max_bytes = 256});
  Json unique = Json::object();
  fields.Object("unique", &unique);
  if (!fields.ok() || unique.empty()) return;
  FieldReader inner(unique, fmt::format("\"unique\" of {}", what));
  inner.String("key", &job->unique_key, {.required = true, .max_bytes = 256});
  inner.Int("periodMs", &job->unique_period_ms, 1000, kMaxDelayMs);
  Json states = Json::array();
  inner.Array("states", &states, 8);
  if (job->unique_period_ms > 0) job->unique_states |= StateBit(JobState::kDone);
  if (!states.empty()) {
    constexpr uint32_t kWaits =
        StateBit(JobState::kScheduled) | StateBit(JobState::kReady) | StateBit(JobState::kWaiting);
    job->unique_states = kWaits;
    for (const Json& name : states) {
      StatusOr<JobState> state = JobStateByName(name.is_string() ? name.get<std::string>() : "");
      if (!state.ok()) return fields.Fail(state.status());
      job->unique_states |= StateBit(*state);
    }
  }
  Status status = inner.Finish();
  if (!status.ok()) fields.Fail(status);
}

// "children": jobs of any queue.
Status ReadChildren(FieldReader& fields, Budget* budget, NewJob* job) {
  Json children = Json::array();
  fields.Array("children", &children, kMaxJobs);
  if (!fields.ok()) return fields.Finish();
  Budget below{budget->jobs, budget->depth + 1};
  if (!children.empty() && below.depth > kMaxDepth)
    return Error(Code::kInvalid, fmt::format("Jobs have children at most {} deep.", kMaxDepth));
  for (const Json& item : children) {
    ASSIGN_OR_RETURN(NewJob child, Parse(item, fmt::format("Child {}", job->children.size()), &below));
    job->children.push_back(std::move(child));
  }
  budget->jobs = below.jobs;
  return OkStatus();
}

// "items" and "chunk": children of the same queue and kind, each with its share of the items.
Status ReadItems(FieldReader& fields, Budget* budget, NewJob* job) {
  Json items = Json::array();
  int64_t chunk = 100;
  fields.Array("items", &items, kMaxItems);
  fields.Int("chunk", &chunk, 1, static_cast<int64_t>(kMaxItems));
  if (!fields.ok() || items.empty()) return OkStatus();
  if (!job->children.empty()) {
    fields.Refuse("items", "does not go with \"children\"");
    return OkStatus();
  }
  const size_t count = (items.size() + static_cast<size_t>(chunk) - 1) / static_cast<size_t>(chunk);
  if (count > budget->jobs) {
    return Error(Code::kInvalid,
                 fmt::format("{} items in chunks of {} are {} jobs; {} are taken at once.", items.size(),
                             chunk, count, kMaxJobs),
                 {.hint = "Take larger chunks."});
  }
  budget->jobs -= count;
  for (size_t first = 0; first < items.size(); first += static_cast<size_t>(chunk)) {
    const size_t last = std::min(first + static_cast<size_t>(chunk), items.size());
    NewJob child;
    child.queue = job->queue, child.kind = job->kind, child.user = job->user;
    child.provider_key = job->provider_key, child.model_key = job->model_key;
    child.priority = job->priority, child.timeout_ms = job->timeout_ms, child.max_tries = job->max_tries;
    child.cost = job->cost;
    child.units = static_cast<int64_t>(last - first);
    child.payload_json = fmt::format(R"({{"first":{},"common":{},"items":[)", first, job->payload_json);
    for (size_t i = first; i < last; ++i) {
      if (i > first) child.payload_json += ',';
      child.payload_json += Dump(items[i]);
    }
    child.payload_json += "]}";
    if (child.payload_json.size() > kMaxPayload) {
      return Error(Code::kTooLarge,
                   fmt::format("{} items are {} bytes; a job takes {}.", chunk, child.payload_json.size(),
                               kMaxPayload),
                   {.hint = "Take smaller chunks.", .object = "items"});
    }
    job->children.push_back(std::move(child));
  }
  job->run_after = job->fail_fast = false;
  return OkStatus();
}

Status ReadFamily(FieldReader& fields, Budget* budget, NewJob* job) {
  RETURN_IF_ERROR(ReadChildren(fields, budget, job));
  RETURN_IF_ERROR(ReadItems(fields, budget, job));
  std::string on_failure, after, parent;
  fields.String("onChildFailure", &on_failure, {.one_of = {"fail", "continue"}});
  fields.String("afterChildren", &after, {.one_of = {"run", "done"}});
  if (!on_failure.empty()) job->fail_fast = on_failure == "fail";
  if (!after.empty()) job->run_after = after == "run";
  fields.String("parent", &parent, {.max_bytes = 64});
  if (parent.empty()) return OkStatus();
  ASSIGN_OR_RETURN(job->parent, Id::Parse(parent));
  if (budget->depth > 0) fields.Refuse("parent", "is given by the job that the child stands in");
  return OkStatus();
}

StatusOr<NewJob> Parse(const Json& json, std::string_view what, Budget* budget) {
  if (budget->jobs == 0)
    return Error(Code::kInvalid, fmt::format("At most {} jobs are taken at once.", kMaxJobs));
  --budget->jobs;
  NewJob job;
  FieldReader fields(json, what);
  fields.String("queue", &job.queue, {.required = true, .max_bytes = 64});
  fields.String("kind", &job.kind, {.required = true, .max_bytes = 128});
  fields.String("user", &job.user, {.max_bytes = 256});
  RETURN_IF_ERROR(TakeDocument(fields, "payload", false, &job.payload_json));
  int64_t priority = 0, max_tries = -1, cost = 1;
  fields.Int("priority", &priority, -1000, 1000);
  fields.Int("maxTries", &max_tries, 0, 1000);
  fields.Int("cost", &cost, 0, 1'000'000'000);
  job.priority = static_cast<int>(priority), job.max_tries = static_cast<int>(max_tries);
  job.cost = static_cast<int>(cost);
  ReadTimes(fields, &job);
  ReadUnique(fields, what, &job);
  ReadKeys(fields, what, &job);
  RETURN_IF_ERROR(ReadFamily(fields, budget, &job));
  RETURN_IF_ERROR(fields.Finish());
  RETURN_IF_ERROR(CheckQueue(job.queue, true));
  return job;
}

}  // namespace

bool IsInternalQueue(std::string_view queue) {
  return std::find(kInternal.begin(), kInternal.end(), queue) != kInternal.end();
}

bool IsProviderQueue(std::string_view queue) { return queue.starts_with(kProviderQueues); }

Status CheckQueue(std::string_view name, bool adds) {
  if (!IsQueueName(name)) {
    return Error(Code::kInvalid, fmt::format("\"{}\" is no name of a queue.", Shorten(name, 60)),
                 {.hint = "A name has 1 to 64 of a-z 0-9 _ - . : and begins with a letter.",
                  .object = Shorten(name, 60)});
  }
  if (!IsInternalQueue(name) && !(adds && IsProviderQueue(name))) return OkStatus();
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

StatusOr<NewJob> ParseNewJob(const Json& json, std::string_view what) {
  Budget budget{kMaxJobs, 0};
  return Parse(json, what, &budget);
}

StatusOr<std::vector<NewJob>> ParseNewJobs(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The jobs document", {.max_bytes = 16 << 20}));
  std::vector<NewJob> jobs;
  Budget budget{kMaxJobs, 0};
  if (!json.is_array()) {
    ASSIGN_OR_RETURN(NewJob job, Parse(json, "The job", &budget));
    jobs.push_back(std::move(job));
    return jobs;
  }
  if (json.empty() || json.size() > kMaxJobs) {
    return Error(Code::kInvalid,
                 fmt::format("{} jobs were given; 1 to {} are taken at once.", json.size(), kMaxJobs));
  }
  for (const Json& item : json) {
    ASSIGN_OR_RETURN(NewJob job, Parse(item, fmt::format("Job {}", jobs.size()), &budget));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

}  // namespace mediagen
