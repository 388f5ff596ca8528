// Jobs as the documents that cross the ABI and the wire (docs/documents.md): requests in, job documents out.
//
// Pure functions; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "jobs/queue.h"

namespace mediagen {

// Whether `queue` is mediagen's own: hosts neither add to it, claim from it nor cancel in it (they cancel the
// generation).
bool IsInternalQueue(std::string_view queue);

// One {"queue", "kind", "payload", …}. `what` names it in errors.
StatusOr<NewJob> ParseNewJob(const Json& json, std::string_view what);
// One job or an array of 1 to 1,000.
StatusOr<std::vector<NewJob>> ParseNewJobs(std::string_view text);
// Enqueues all of them; their ids, or those of the jobs that hold their unique keys.
StatusOr<std::vector<Id>> EnqueueAll(Transaction& transaction, Queues& queues, std::span<const NewJob> jobs);
// {"jobs": [ids]}
std::string JobIdsDocument(std::span<const Id> ids);

// "email,sms" → the names; kInvalid for none, for more than 32 or for an internal one.
StatusOr<std::vector<std::string>> ParseQueueNames(std::string_view names);

// {"outcome": "done" | "retry" | "defer" | "discard" | "cancel", …}: only what belongs to that outcome is
// taken.
StatusOr<Outcome> ParseOutcome(std::string_view text);
// {"fraction", "current", "total", "message"}: checked, and as it is to be kept.
StatusOr<std::string> ParseProgress(std::string_view text);

// The job document; kNotFound when there is none of this id.
StatusOr<std::string> JobDocument(const JobStore& jobs, const Id& id);
std::string JobDocument(const Job& job);
std::string ClaimsDocument(std::span<const Claim> claims);

}  // namespace mediagen
