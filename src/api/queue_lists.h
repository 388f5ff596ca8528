// Lists about queues as documents: jobs by state, children, log lines, queues with their settings and counts.
//
// Pure functions over a snapshot; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "jobs/queue.h"
#include "store/store.h"

namespace mediagen {

// What is asked for: {"queue", "state", "job", "limit", "cursor"}, as far as the list takes it.
struct QueueListQuery {
  enum What { kJobs, kChildren, kLogs, kQueues } what = kJobs;
  std::optional<std::string> queue;
  std::optional<JobState> state;
  Id job;    // kChildren, kLogs
  Id after;  // kJobs, kChildren
  int64_t after_line = 0;
  int limit = 50;  // 1 to 500
};

// `resource` is "jobs", "children", "logs" or "queues". kInvalid names what is wrong.
StatusOr<QueueListQuery> ParseQueueList(std::string_view resource, std::string_view query_json);

// A cursor page (docs/documents.md); jobs in the order of their ids, which is that of their making. kNotFound
// for the children or the log of a job that is not there.
StatusOr<std::string> QueueListDocument(const Snapshot& snapshot, const Queues& queues,
                                        const QueueListQuery& query);

// {"name", "settings", "counts"}
std::string QueueDocument(const std::string& name, const QueueSettings& settings,
                          const std::map<JobState, int64_t>& counts);

}  // namespace mediagen
