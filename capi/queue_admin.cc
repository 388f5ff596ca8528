// What is done with jobs and queues from outside a claim.
#include "api/job_results.h"
#include "api/queue_documents.h"
#include "api/queue_lists.h"
#include "capi/backend.h"
#include "capi/begin.h"
#include "capi/guard.h"
#include "fmt/format.h"
#include "mediagen/queue.h"

using namespace mediagen;
using namespace mediagen::capi;

namespace {

// Changes a job and answers its document as it is then.
template <typename Change>
StatusOr<int32_t> Decide(mediagen_queue* queue, mediagen_str id, mediagen_inbox* inbox, uint64_t tag,
                         mediagen_call** out, Change change) {
  ASSIGN_OR_RETURN(Id job, Id::Parse(View(id)));
  return Commit(
      queue->backend, inbox, tag, out, Purpose::kSettle,
      [job, change, queues = queue->backend.queues](Transaction& transaction, std::string* result) -> Status {
        RETURN_IF_ERROR(CheckJobIsHosts(transaction.jobs(), job));
        RETURN_IF_ERROR(change(*queues, transaction, job));
        ASSIGN_OR_RETURN(*result, JobDocument(transaction.jobs(), job));
        return OkStatus();
      });
}

}  // namespace

extern "C" {

int32_t mediagen_queue_get_begin(mediagen_queue* queue, mediagen_str id, mediagen_inbox* inbox, uint64_t tag,
                                 mediagen_call** out, mediagen_error** err) {
  return Guard(err, {Need("queue", queue), Need("id", id), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(Id job, Id::Parse(View(id)));
                 return Read(queue->backend, inbox, tag, out,
                             [job](const Snapshot& snapshot) { return JobDocument(snapshot.jobs(), job); });
               });
}

int32_t mediagen_queue_result_begin(mediagen_queue* queue, mediagen_str id, mediagen_inbox* inbox,
                                    uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(err, {Need("queue", queue), Need("id", id), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(Id job, Id::Parse(View(id)));
                 return Read(queue->backend, inbox, tag, out,
                             [job, blobs = queue->backend.blobs](const Snapshot& snapshot) {
                               return JobResult(snapshot, blobs, job);
                             });
               });
}

int32_t mediagen_queue_cancel_begin(mediagen_queue* queue, mediagen_str id, mediagen_inbox* inbox,
                                    uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(err, {Need("queue", queue), Need("id", id), Allow("inbox", inbox), Out("out", out)}, [&] {
    return Decide(queue, id, inbox, tag, out, [](Queues& queues, Transaction& transaction, const Id& job) {
      return queues.RequestCancel(transaction, job).status();  // the document says whether it has ended
    });
  });
}

int32_t mediagen_queue_retry_begin(mediagen_queue* queue, mediagen_str id, mediagen_inbox* inbox,
                                   uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(err, {Need("queue", queue), Need("id", id), Allow("inbox", inbox), Out("out", out)}, [&] {
    return Decide(queue, id, inbox, tag, out, [](Queues& queues, Transaction& transaction, const Id& job) {
      return queues.Retry(transaction, job);
    });
  });
}

int32_t mediagen_queue_retry_all_begin(mediagen_queue* queue, mediagen_str which, mediagen_inbox* inbox,
                                       uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(
      err, {Need("queue", queue), Need("which", which), Allow("inbox", inbox), Out("out", out)},
      [&]() -> StatusOr<int32_t> {
        ASSIGN_OR_RETURN(DeadJobs dead, ParseDeadJobs(View(which)));
        return Begin(inbox, tag, DriveOf(queue->backend), out, [&](const std::shared_ptr<Call>& call) {
          queue->backend.queues->RetryAll(dead.queue, dead.kind, [call](StatusOr<Queues::Retried> retried) {
            BufferRef result = retried.ok() ? BufferRef::Own(RetriedDocument(*retried)) : nullptr;
            call->Complete(retried.status(), std::move(result));
          });
          return OkStatus();
        });
      });
}

int32_t mediagen_queue_list_begin(mediagen_queue* queue, mediagen_str resource, mediagen_str query,
                                  mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                                  mediagen_error** err) {
  return Guard(err,
               {Need("queue", queue), Need("resource", resource), Need("query", query), Allow("inbox", inbox),
                Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(QueueListQuery parsed, ParseQueueList(View(resource), View(query)));
                 return Read(
                     queue->backend, inbox, tag, out,
                     [parsed = std::move(parsed), queues = queue->backend.queues](const Snapshot& snapshot) {
                       return QueueListDocument(snapshot, *queues, parsed);
                     });
               });
}

int32_t mediagen_queue_configure_begin(mediagen_queue* queue, mediagen_str name, mediagen_str settings,
                                       mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                                       mediagen_error** err) {
  return Guard(err,
               {Need("queue", queue), Need("name", name), Need("settings", settings), Allow("inbox", inbox),
                Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(std::string queue_name, ParseAnyQueueName(View(name)));
                 ASSIGN_OR_RETURN(Json patch, ParseJson(View(settings), "The settings"));
                 return Commit(queue->backend, inbox, tag, out, Purpose::kSettle,
                               [queue_name = std::move(queue_name), patch = std::move(patch),
                                queues = queue->backend.queues](Transaction& transaction,
                                                                std::string* result) -> Status {
                                 ASSIGN_OR_RETURN(*result, queues->Adjust(transaction, queue_name, patch));
                                 return OkStatus();
                               });
               });
}

}  // extern "C"
