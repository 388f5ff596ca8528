#include "api/job_results.h"

#include <memory>
#include <utility>

#include "api/new_job.h"
#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

void CommitFinish(const ResultParts& parts, const Id& id, uint64_t fence,
                  const std::shared_ptr<Outcome>& outcome, std::function<void(Status)> done) {
  parts.store->CommitAsync(
      [queues = parts.queues, id, fence, outcome](Transaction& transaction) {
        return queues->Finish(transaction, id, fence, *outcome);
      },
      [parts, id, outcome, done = std::move(done)](Status status) {
        if (status.ok()) {
          parts.queues->Released(id);
        } else if (!outcome->result_blob.empty() && CodeOf(status) == Code::kStaleFence) {
          parts.executor->Post([blobs = parts.blobs, key = outcome->result_blob] {
            blobs->Remove(key).IgnoreError();  // of a claim that is over; nothing names it
          });
        }
        done(std::move(status));
      });
}

Status StoreResult(BlobStore* blobs, const Id& id, uint64_t fence, Outcome* outcome) {
  // By fence, so that a claim that has lost its job writes over nobody's result.
  const std::string key = fmt::format("job-results/{}/{}.json", id.text(), fence);
  RETURN_IF_ERROR(blobs->Put(key, outcome->result_json));
  outcome->result_json = fmt::format(R"({{"bytes":{},"sha256":"{}"}})", outcome->result_json.size(),
                                     Hex(Sha256(outcome->result_json)));
  outcome->result_blob = key;
  return OkStatus();
}

}  // namespace

void FinishJob(const ResultParts& parts, const Id& id, uint64_t fence, Outcome outcome,
               std::function<void(Status)> done) {
  auto kept = std::make_shared<Outcome>(std::move(outcome));
  if (kept->result_json.size() <= kInlineResult ||
      (parts.blobs == nullptr && kept->result_json.size() <= kMaxPayload))
    return CommitFinish(parts, id, fence, kept, std::move(done));
  if (parts.blobs == nullptr) {
    return done(Error(Code::kTooLarge,
                      fmt::format("The result has {} bytes; without an engine at most {} are taken.",
                                  kept->result_json.size(), kMaxPayload),
                      {.hint = "Store it elsewhere and pass its place.", .object = id.text()}));
  }
  auto shared_done = std::make_shared<std::function<void(Status)>>(std::move(done));
  const bool posted = parts.executor->Post([parts, id, fence, kept, shared_done] {
    Status stored = StoreResult(parts.blobs, id, fence, kept.get());
    if (!stored.ok()) return (*shared_done)(stored);
    CommitFinish(parts, id, fence, kept, *shared_done);
  });
  if (!posted) (*shared_done)(Error(Code::kClosed, "The engine is closed."));
}

StatusOr<std::string> JobResult(const Snapshot& snapshot, BlobStore* blobs, const Id& id) {
  ASSIGN_OR_RETURN(std::optional<Job> job, snapshot.jobs().Find(id));
  if (!job)
    return Error(Code::kNotFound, fmt::format("There is no job {}.", id.text()), {.object = id.text()});
  if (job->result_blob.empty()) return job->result_json.empty() ? std::string("null") : job->result_json;
  if (blobs == nullptr) {
    return Error(Code::kUnsupported, fmt::format("The result of job {} is a blob.", id.text()),
                 {.hint = "Open the engine of this data directory to read it.", .object = id.text()});
  }
  ASSIGN_OR_RETURN(BufferRef bytes, blobs->Get(job->result_blob, kLargestResult));
  return std::string(bytes.view());
}

}  // namespace mediagen
