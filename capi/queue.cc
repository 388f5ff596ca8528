#include "mediagen/queue.h"

#include "api/queue_documents.h"
#include "capi/backend.h"
#include "capi/begin.h"
#include "capi/guard.h"
#include "capi/queue_claim.h"
#include "fmt/format.h"

using namespace mediagen;
using namespace mediagen::capi;

namespace {

// The three verbs of a claim's holder: `change` by fence, in one commit.
template <typename Change>
StatusOr<int32_t> ByFence(mediagen_queue* queue, mediagen_str id, mediagen_inbox* inbox, uint64_t tag,
                          mediagen_call** out, Purpose purpose, Change change,
                          std::function<void(const Id&)> committed = nullptr) {
  ASSIGN_OR_RETURN(Id job, Id::Parse(View(id)));
  std::function<void()> after;
  if (committed) after = [committed = std::move(committed), job] { committed(job); };
  return Commit(
      queue->backend, inbox, tag, out, purpose,
      [change = std::move(change), queues = queue->backend.queues, job](
          Transaction& transaction, std::string*) { return change(*queues, transaction, job); },
      std::move(after));
}

Status Cancel(Transaction& transaction, Queues& queues, const Id& id, std::string* result) {
  ASSIGN_OR_RETURN(std::optional<Job> job, transaction.jobs().Find(id));
  if (job && IsInternalQueue(job->queue)) {
    return Error(Code::kForbidden, fmt::format("Job {} is mediagen's own.", id.text()),
                 {.hint = "Cancel its generation instead.", .object = id.text()});
  }
  ASSIGN_OR_RETURN(bool at_once, queues.RequestCancel(transaction, id));
  (void)at_once;  // the document says it
  ASSIGN_OR_RETURN(*result, JobDocument(transaction.jobs(), id));
  return OkStatus();
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

int32_t mediagen_queue_finish_begin(mediagen_queue* queue, mediagen_str id, uint64_t fence,
                                    mediagen_str outcome, mediagen_inbox* inbox, uint64_t tag,
                                    mediagen_call** out, mediagen_error** err) {
  return Guard(
      err,
      {Need("queue", queue), Need("id", id), Need("outcome", outcome), Allow("inbox", inbox),
       Out("out", out)},
      [&]() -> StatusOr<int32_t> {
        ASSIGN_OR_RETURN(Outcome parsed, ParseOutcome(View(outcome)));
        return ByFence(
            queue, id, inbox, tag, out, Purpose::kSettle,
            [fence, parsed = std::move(parsed)](Queues& queues, Transaction& transaction, const Id& job) {
              return queues.Finish(transaction, job, fence, parsed);
            },
            [queues = queue->backend.queues](const Id& job) { queues->Released(job); });
      });
}

int32_t mediagen_queue_get_begin(mediagen_queue* queue, mediagen_str id, mediagen_inbox* inbox, uint64_t tag,
                                 mediagen_call** out, mediagen_error** err) {
  return Guard(err, {Need("queue", queue), Need("id", id), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(Id job, Id::Parse(View(id)));
                 return Read(queue->backend, inbox, tag, out,
                             [job](const Snapshot& snapshot) { return JobDocument(snapshot.jobs(), job); });
               });
}

int32_t mediagen_queue_cancel_begin(mediagen_queue* queue, mediagen_str id, mediagen_inbox* inbox,
                                    uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(err, {Need("queue", queue), Need("id", id), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(Id job, Id::Parse(View(id)));
                 return Commit(
                     queue->backend, inbox, tag, out, Purpose::kSettle,
                     [job, queues = queue->backend.queues](Transaction& transaction, std::string* result) {
                       return Cancel(transaction, *queues, job, result);
                     });
               });
}

}  // extern "C"
