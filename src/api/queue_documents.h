// Jobs as the documents that cross the ABI and the wire (docs/documents.md): requests in, job documents out.
//
// Pure functions; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/new_job.h"
#include "base/json.h"
#include "base/status.h"
#include "jobs/queue.h"

namespace mediagen {

// Enqueues all of them; their ids, or those of the jobs that hold their unique keys.
StatusOr<std::vector<Id>> EnqueueAll(Transaction& transaction, Queues& queues, std::span<const NewJob> jobs);
// {"jobs": [ids]}
std::string JobIdsDocument(std::span<const Id> ids);

// "email,sms" → the names; kInvalid for none, for more than 32 or for an internal one.
StatusOr<std::vector<std::string>> ParseQueueNames(std::string_view names);

// One name, mediagen's own queues included.
StatusOr<std::string> ParseAnyQueueName(std::string_view name);

// kForbidden for a job of a queue whose jobs stand for something else (a generation), which has verbs of its
// own; kNotFound when there is none.
Status CheckJobIsHosts(const JobStore& jobs, const Id& id);

// {"queue", "kind"}: which dead jobs; and how many of them were retried.
struct DeadJobs {
  std::string queue, kind;
};
StatusOr<DeadJobs> ParseDeadJobs(std::string_view text);
std::string RetriedDocument(const Queues::Retried& retried);

// {"outcome": "done" | "retry" | "defer" | "discard" | "cancel", …}: only what belongs to that outcome is
// taken.
StatusOr<Outcome> ParseOutcome(std::string_view text);
// {"fraction", "current", "total", "message"}: checked, and as it is to be kept.
StatusOr<std::string> ParseProgress(std::string_view text);

// {"message", "level"}: "info" when it says none.
struct JobLine {
  std::string level = "info", message;
};
StatusOr<JobLine> ParseLogLine(std::string_view text);
// Any JSON of up to 64 KB, as it is to be kept.
StatusOr<std::string> ParseCheckpoint(std::string_view text);

// The job document; kNotFound when there is none of this id.
StatusOr<std::string> JobDocument(const JobStore& jobs, const Id& id);
// `family`: of a job that has children, else null.
std::string JobDocument(const Job& job, const Family* family = nullptr);
std::string ClaimsDocument(std::span<const Claim> claims);

}  // namespace mediagen
