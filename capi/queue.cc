#include "mediagen/queue.h"

#include "api/job_results.h"
#include "api/queue_documents.h"
#include "capi/backend.h"
#include "capi/begin.h"
#include "capi/guard.h"
#include "capi/queue_claim.h"
#include "fmt/format.h"

using namespace mediagen;
using namespace mediagen::capi;

namespace {

// What a claim's holder says while it works: `change` by fence, in one commit.
template <typename Change>
StatusOr<int32_t> ByFence(mediagen_queue* queue, mediagen_str id, mediagen_inbox* inbox, uint64_t tag,
                          mediagen_call** out, Purpose purpose, Change change) {
  ASSIGN_OR_RETURN(Id job, Id::Parse(View(id)));
  return Commit(queue->backend, inbox, tag, out, purpose,
                [change = std::move(change), queues = queue->backend.queues, job](
                    Transaction& transaction, std::string*) { return change(*queues, transaction, job); });
}

}  // namespace

extern "C" {

int32_t mediagen_queue_open(uint32_t abi, mediagen_str config_json, mediagen_queue** out,
                            mediagen_error** err) {
  return Guard(err, {Need("config_json", config_json), Out("out", out)}, [&]() -> Status {
    RETURN_IF_ERROR(CheckAbi(abi));
    ASSIGN_OR_RETURN(Backend backend, OpenQueueAlone(View(config_json)));
    *out = new mediagen_queue(std::move(backend));
    return OkStatus();
  });
}

int32_t mediagen_engine_queue(mediagen_engine* engine, mediagen_queue** out, mediagen_error** err) {
  return Guard(err, {Need("engine", engine), Out("out", out)}, [&]() -> Status {
    if (engine->engine->closed()) return ClosedError();
    *out = new mediagen_queue(engine->engine->backend());
    return OkStatus();
  });
}

void mediagen_queue_free(mediagen_queue* queue) { Free(queue); }

int32_t mediagen_queue_enqueue_begin(mediagen_queue* queue, mediagen_str jobs, mediagen_inbox* inbox,
                                     uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(err, {Need("queue", queue), Need("jobs", jobs), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(std::vector<NewJob> parsed, ParseNewJobs(View(jobs)));
                 return Commit(queue->backend, inbox, tag, out, Purpose::kSubmit,
                               [parsed = std::move(parsed), queues = queue->backend.queues](
                                   Transaction& transaction, std::string* result) -> Status {
                                 ASSIGN_OR_RETURN(std::vector<Id> ids,
                                                  EnqueueAll(transaction, *queues, parsed));
                                 *result = JobIdsDocument(ids);
                                 return OkStatus();
                               });
               });
}

int32_t mediagen_queue_claim_begin(mediagen_queue* queue, mediagen_str names, int32_t max,
                                   mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                                   mediagen_error** err) {
  return Guard(err, {Need("queue", queue), Need("names", names), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(std::vector<std::string> queues, ParseQueueNames(View(names)));
                 if (max < 1 || max > 100)
                   return Error(Code::kInvalid,
                                fmt::format("\"max\" is {}; 1 to 100 jobs are claimed at once.", max));
                 return Begin(inbox, tag, DriveOf(queue->backend), out, [&](std::shared_ptr<Call> call) {
                   StartClaim(queue->backend, std::move(queues), max, std::move(call));
                   return OkStatus();
                 });
               });
}

int32_t mediagen_queue_heartbeat_begin(mediagen_queue* queue, mediagen_str id, uint64_t fence,
                                       mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                                       mediagen_error** err) {
  return Guard(err, {Need("queue", queue), Need("id", id), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 return ByFence(queue, id, inbox, tag, out, Purpose::kHeartbeat,
                                [fence](Queues& queues, Transaction& transaction, const Id& job) {
                                  return queues.Heartbeat(transaction, job, fence);
                                });
               });
}

int32_t mediagen_queue_progress_begin(mediagen_queue* queue, mediagen_str id, uint64_t fence,
                                      mediagen_str progress, mediagen_inbox* inbox, uint64_t tag,
                                      mediagen_call** out, mediagen_error** err) {
  return Guard(err,
               {Need("queue", queue), Need("id", id), Need("progress", progress), Allow("inbox", inbox),
                Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(std::string kept, ParseProgress(View(progress)));
                 return ByFence(queue, id, inbox, tag, out, Purpose::kHeartbeat,
                                [fence, kept = std::move(kept)](Queues& queues, Transaction& transaction,
                                                                const Id& job) {
                                  return queues.Progress(transaction, job, fence, kept);
                                });
               });
}

int32_t mediagen_queue_checkpoint_begin(mediagen_queue* queue, mediagen_str id, uint64_t fence,
                                        mediagen_str checkpoint, mediagen_inbox* inbox, uint64_t tag,
                                        mediagen_call** out, mediagen_error** err) {
  return Guard(err,
               {Need("queue", queue), Need("id", id), Need("checkpoint", checkpoint), Allow("inbox", inbox),
                Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(std::string kept, ParseCheckpoint(View(checkpoint)));
                 return ByFence(queue, id, inbox, tag, out, Purpose::kHeartbeat,
                                [fence, kept = std::move(kept)](Queues& queues, Transaction& transaction,
                                                                const Id& job) {
                                  return queues.Checkpoint(transaction, job, fence, kept);
                                });
               });
}

int32_t mediagen_queue_log_begin(mediagen_queue* queue, mediagen_str id, uint64_t fence, mediagen_str line,
                                 mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                                 mediagen_error** err) {
  return Guard(
      err, {Need("queue", queue), Need("id", id), Need("line", line), Allow("inbox", inbox), Out("out", out)},
      [&]() -> StatusOr<int32_t> {
        ASSIGN_OR_RETURN(JobLine kept, ParseLogLine(View(line)));
        return ByFence(
            queue, id, inbox, tag, out, Purpose::kHeartbeat,
            [fence, kept = std::move(kept)](Queues& queues, Transaction& transaction, const Id& job) {
              return queues.Log(transaction, job, fence, kept.level, kept.message);
            });
      });
}

int32_t mediagen_queue_finish_begin(mediagen_queue* queue, mediagen_str id, uint64_t fence,
                                    mediagen_str outcome, mediagen_inbox* inbox, uint64_t tag,
                                    mediagen_call** out, mediagen_error** err) {
  return Guard(err,
               {Need("queue", queue), Need("id", id), Need("outcome", outcome), Allow("inbox", inbox),
                Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(Outcome parsed, ParseOutcome(View(outcome)));
                 ASSIGN_OR_RETURN(Id job, Id::Parse(View(id)));
                 const Backend& backend = queue->backend;
                 return Begin(inbox, tag, DriveOf(backend), out, [&](const std::shared_ptr<Call>& call) {
                   FinishJob({backend.store, backend.queues, backend.executor, backend.blobs}, job, fence,
                             std::move(parsed), [call](Status status) { call->Complete(std::move(status)); });
                   if (!backend.threaded) backend.store->RunOnce();  // the caller's thread is the writer
                   return OkStatus();
                 });
               });
}

}  // extern "C"
