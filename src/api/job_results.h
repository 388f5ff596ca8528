// Results of jobs: small ones stand in the row, large ones are blobs that the row names.
//
// Thread-safe.
#pragma once

#include <functional>
#include <string>

#include "base/executor.h"
#include "base/status.h"
#include "blob/blob.h"
#include "jobs/queue.h"
#include "store/store.h"

namespace mediagen {

// Past this many bytes a result is a blob, where there is a blob store; past the second nothing is taken.
constexpr size_t kInlineResult = 64 << 10, kLargestResult = 16 << 20;

struct ResultParts {
  Store* store = nullptr;
  Queues* queues = nullptr;
  Executor* executor = nullptr;
  BlobStore* blobs = nullptr;  // null: every result stands in the row, up to kMaxPayload
};

// Ends a claim. The blob of a large result is durable before the row that names it is written, and is removed
// when that is refused. `done` comes once, after the commit; a begun job's slot is free by then.
void FinishJob(const ResultParts& parts, const Id& id, uint64_t fence, Outcome outcome,
               std::function<void(Status)> done);

// The whole result of a job: "null" when it has none. kNotFound when there is no such job.
StatusOr<std::string> JobResult(const Snapshot& snapshot, BlobStore* blobs, const Id& id);

}  // namespace mediagen
