#include "api/queue_lists.h"

#include <charconv>
#include <iterator>
#include <utility>
#include <vector>

#include "api/queue_documents.h"
#include "base/clock.h"
#include "base/json.h"
#include "fmt/format.h"
#include "jobs/settings_document.h"

namespace mediagen {
namespace {

using What = QueueListQuery::What;

constexpr JobState kStates[] = {JobState::kScheduled, JobState::kReady,   JobState::kWaiting,
                                JobState::kRunning,   JobState::kParked,  JobState::kDone,
                                JobState::kDead,      JobState::kCanceled};

StatusOr<What> WhatOf(std::string_view resource) {
  if (resource == "jobs") return What::kJobs;
  if (resource == "children") return What::kChildren;
  if (resource == "logs") return What::kLogs;
  if (resource == "queues") return What::kQueues;
  return Error(Code::kInvalid, fmt::format("\"{}\" is no list of a queue.", Shorten(resource, 60)),
               {.hint = "There are \"jobs\", \"children\", \"logs\" and \"queues\"."});
}

Status ReadCursor(const std::string& cursor, QueueListQuery* query) {
  if (cursor.empty()) return OkStatus();
  if (query->what == What::kLogs) {
    auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), query->after_line);
    if (error == std::errc() && end == cursor.data() + cursor.size() && query->after_line >= 0)
      return OkStatus();
    return Error(Code::kInvalid, "The cursor belongs to no list of log lines.");
  }
  ASSIGN_OR_RETURN(query->after, Id::Parse(cursor));
  return OkStatus();
}

std::string Page(const std::vector<std::string>& rows, bool more, std::string_view cursor, int limit) {
  std::string out = R"({"data":[)";
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) out += ',';
    out += rows[i];
  }
  fmt::format_to(std::back_inserter(out), R"(],"pagination":{{"hasMore":{},"nextCursor":{},"limit":{}}}}})",
                 more, more ? fmt::format("\"{}\"", cursor) : "null", limit);
  return out;
}

StatusOr<std::string> JobsPage(const JobStore& jobs, std::vector<Job> rows, int limit) {
  const bool more = rows.size() > static_cast<size_t>(limit);
  if (more) rows.resize(static_cast<size_t>(limit));
  std::vector<std::string> documents;
  for (const Job& job : rows) {
    ASSIGN_OR_RETURN(std::optional<Family> family, jobs.FindFamily(job.id));
    documents.push_back(JobDocument(job, family ? &*family : nullptr));
  }
  return Page(documents, more, rows.empty() ? "" : rows.back().id.text(), limit);
}

StatusOr<std::string> LogPage(const JobStore& jobs, const QueueListQuery& query) {
  ASSIGN_OR_RETURN(std::vector<JobLogLine> lines, jobs.LogOf(query.job, query.after_line, query.limit + 1));
  const bool more = lines.size() > static_cast<size_t>(query.limit);
  if (more) lines.resize(static_cast<size_t>(query.limit));
  std::vector<std::string> documents;
  for (const JobLogLine& line : lines) {
    std::string& out = documents.emplace_back();
    out = fmt::format(R"({{"sequence":{},"at":"{}","level":"{}","message":)", line.sequence,
                      FormatTime(line.at_ms), line.level);
    AppendJsonString(line.message, &out);
    out += '}';
  }
  return Page(documents, more, lines.empty() ? "" : fmt::format("{}", lines.back().sequence), query.limit);
}

// All of them: there are as many as somebody has made names for.
StatusOr<std::string> QueuesPage(const JobStore& jobs, const Queues& queues) {
  ASSIGN_OR_RETURN(auto all, jobs.Counts());
  ASSIGN_OR_RETURN(std::vector<StoredSettings> rows, jobs.Settings());
  std::map<std::string, Json> stored;
  for (const StoredSettings& row : rows) {
    all.try_emplace(row.queue);
    stored[row.queue] = Json::parse(row.document_json, nullptr, false);
  }
  for (const std::string& configured : queues.Configured()) all.try_emplace(configured);
  std::vector<std::string> documents;
  for (const auto& [name, counts] : all) {
    QueueSettings settings = queues.SettingsOf(name);
    // What this snapshot shows may be newer than what the queues have read.
    if (auto it = stored.find(name); it != stored.end()) {
      FieldReader fields(it->second, name);
      ReadQueueSettings(fields, &settings);
    }
    documents.push_back(QueueDocument(name, settings, counts));
  }
  return Page(documents, false, "", static_cast<int>(documents.size()));
}

}  // namespace

StatusOr<QueueListQuery> ParseQueueList(std::string_view resource, std::string_view query_json) {
  QueueListQuery query;
  ASSIGN_OR_RETURN(query.what, WhatOf(resource));
  Json json = Json::object();
  if (!Trim(query_json).empty()) {
    ASSIGN_OR_RETURN(json, ParseJson(query_json, "The list query", {.max_bytes = 64 << 10}));
  }
  FieldReader fields(json, "The list query");
  std::string queue, state, job, cursor;
  int64_t limit = query.limit;
  if (query.what == What::kJobs) {
    fields.String("queue", &queue, {.max_bytes = 64});
    fields.String("state", &state, {.max_bytes = 16});
  }
  if (query.what == What::kChildren || query.what == What::kLogs)
    fields.String("job", &job, {.required = true, .max_bytes = 64});
  if (query.what != What::kQueues) {
    fields.Int("limit", &limit, 1, 500);
    fields.String("cursor", &cursor, {.max_bytes = 64});
  }
  RETURN_IF_ERROR(fields.Finish());
  query.limit = static_cast<int>(limit);
  if (!queue.empty()) query.queue = queue;
  if (!state.empty()) {
    ASSIGN_OR_RETURN(query.state, JobStateByName(state));
  }
  if (!job.empty()) {
    ASSIGN_OR_RETURN(query.job, Id::Parse(job));
  }
  RETURN_IF_ERROR(ReadCursor(cursor, &query));
  return query;
}

StatusOr<std::string> QueueListDocument(const Snapshot& snapshot, const Queues& queues,
                                        const QueueListQuery& query) {
  const JobStore& jobs = snapshot.jobs();
  if (!query.job.empty()) {
    ASSIGN_OR_RETURN(std::optional<Job> job, jobs.Find(query.job));
    if (!job) {
      return Error(Code::kNotFound, fmt::format("There is no job {}.", query.job.text()),
                   {.object = query.job.text()});
    }
  }
  switch (query.what) {
    case What::kJobs: {
      ASSIGN_OR_RETURN(std::vector<Job> rows,
                       jobs.List(query.queue, query.state, query.after, query.limit + 1));
      return JobsPage(jobs, std::move(rows), query.limit);
    }
    case What::kChildren: {
      ASSIGN_OR_RETURN(std::vector<Job> rows, jobs.ChildrenOf(query.job, query.after, query.limit + 1));
      return JobsPage(jobs, std::move(rows), query.limit);
    }
    case What::kLogs:
      return LogPage(jobs, query);
    case What::kQueues:
      break;
  }
  return QueuesPage(jobs, queues);
}

std::string QueueDocument(const std::string& name, const QueueSettings& settings,
                          const std::map<JobState, int64_t>& counts) {
  std::string out = R"({"name":)";
  AppendJsonString(name, &out);
  out += fmt::format(R"(,"settings":{},"counts":{{)", QueueSettingsJson(settings));
  for (JobState state : kStates) {
    auto count = counts.find(state);
    fmt::format_to(std::back_inserter(out), R"({}"{}":{})", state == kStates[0] ? "" : ",",
                   JobStateName(state), count == counts.end() ? 0 : count->second);
  }
  return out + "}}";
}

}  // namespace mediagen
