// /v1/jobs and /v1/queues: what an operator sees and does; a job's owner may ask about it and cancel it.
#include <algorithm>

#include "api/problem.h"
#include "api/query.h"
#include "api/queue_documents.h"
#include "api/queue_lists.h"
#include "api/reply.h"
#include "api/router.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

const PipelineParts& PartsOf(Router& router) { return router.parts().pipeline->parts(); }

void ReplyJson(ApiExchange& exchange, StatusOr<std::string> document) {
  if (!document.ok()) return exchange.Fail(document.status());
  exchange.Reply(JsonResponse(exchange.request, 200, *std::move(document)));
}

// Whose a job is nobody else is told.
Status CheckVisible(const ApiExchange& exchange, const JobStore& jobs, const Id& id) {
  ASSIGN_OR_RETURN(std::optional<Job> job, jobs.Find(id));
  const Viewer& viewer = exchange.viewer;
  if (job && (viewer.all || (!job->user.empty() && job->user == viewer.user))) return OkStatus();
  return Error(Code::kNotFound, fmt::format("There is no job {}.", id.text()), {.object = id.text()});
}

using Reader = std::function<StatusOr<std::string>(const Snapshot&)>;
void Answer(Router& router, ApiExchange& exchange, const Reader& read) {
  std::string document;
  Status status = PartsOf(router).store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(document, read(snapshot));
    return OkStatus();
  });
  ReplyJson(exchange, status.ok() ? StatusOr<std::string>(std::move(document)) : status);
}

// Commits `change`, which writes the document of the answer.
using Change = std::function<Status(Transaction&, std::string*)>;
void Commit(Router& router, const std::shared_ptr<ApiExchange>& exchange, Change change) {
  auto document = std::make_shared<std::string>();
  PartsOf(router).store->CommitAsync(
      [change = std::move(change), document](Transaction& transaction) {
        return change(transaction, document.get());
      },
      [exchange, document](Status status) {
        ReplyJson(*exchange, status.ok() ? StatusOr<std::string>(std::move(*document)) : status);
      });
}

// The query of the target as a list query.
StatusOr<QueueListQuery> ListQueryOf(const ApiExchange& exchange, std::string_view resource,
                                     std::initializer_list<std::string_view> names) {
  ASSIGN_OR_RETURN(TargetQuery target, TargetQuery::Parse(exchange.request.query));
  Json query = Json::object();
  for (std::string_view name : names) {
    if (auto text = target.Text(name)) query[std::string(name)] = *text;
  }
  ASSIGN_OR_RETURN(const int64_t limit, target.Int("limit", 50, 1, 500));
  RETURN_IF_ERROR(target.Finish());
  query["limit"] = limit;
  if (resource != "jobs") query["job"] = exchange.id;
  return ParseQueueList(resource, Dump(query));
}

void ListOfJob(Router& router, ApiExchange& exchange, std::string_view resource) {
  auto query = ListQueryOf(exchange, resource, {"cursor"});
  if (!query.ok()) return exchange.Fail(query.status());
  Answer(router, exchange, [&](const Snapshot& snapshot) -> StatusOr<std::string> {
    RETURN_IF_ERROR(CheckVisible(exchange, snapshot.jobs(), query->job));
    return QueueListDocument(snapshot, *PartsOf(router).queues, *query);
  });
}

template <typename Verb>
void DecideJob(Router& router, const std::shared_ptr<ApiExchange>& exchange, Verb verb) {
  StatusOr<Id> id = Id::Parse(exchange->id);
  if (!id.ok()) return exchange->Fail(id.status());
  Commit(router, exchange,
         [exchange, id = *id, verb, queues = PartsOf(router).queues](Transaction& transaction,
                                                                     std::string* document) -> Status {
           RETURN_IF_ERROR(CheckVisible(*exchange, transaction.jobs(), id));
           RETURN_IF_ERROR(CheckJobIsHosts(transaction.jobs(), id));
           RETURN_IF_ERROR(verb(*queues, transaction, id));
           ASSIGN_OR_RETURN(*document, JobDocument(transaction.jobs(), id));
           return OkStatus();
         });
}

void AdjustQueue(Router& router, const std::shared_ptr<ApiExchange>& exchange, Json patch) {
  StatusOr<std::string> name = ParseAnyQueueName(exchange->id);
  if (!name.ok()) return exchange->Fail(name.status());
  Commit(router, exchange,
         [name = *name, patch = std::move(patch), queues = PartsOf(router).queues](
             Transaction& transaction, std::string* document) -> Status {
           ASSIGN_OR_RETURN(*document, queues->Adjust(transaction, name, patch));
           return OkStatus();
         });
}

}  // namespace

void ListJobs(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto query = ListQueryOf(*exchange, "jobs", {"queue", "state", "cursor"});
  if (!query.ok()) return exchange->Fail(query.status());
  Answer(router, *exchange, [&](const Snapshot& snapshot) {
    return QueueListDocument(snapshot, *PartsOf(router).queues, *query);
  });
}

void GetJob(Router& router, std::shared_ptr<ApiExchange> exchange) {
  StatusOr<Id> id = Id::Parse(exchange->id);
  if (!id.ok()) return exchange->Fail(id.status());
  Answer(router, *exchange, [&](const Snapshot& snapshot) -> StatusOr<std::string> {
    RETURN_IF_ERROR(CheckVisible(*exchange, snapshot.jobs(), *id));
    return JobDocument(snapshot.jobs(), *id);
  });
}

void ListJobLogs(Router& router, std::shared_ptr<ApiExchange> exchange) {
  ListOfJob(router, *exchange, "logs");
}

void ListJobChildren(Router& router, std::shared_ptr<ApiExchange> exchange) {
  ListOfJob(router, *exchange, "children");
}

void CancelJob(Router& router, std::shared_ptr<ApiExchange> exchange) {
  DecideJob(router, exchange, [](Queues& queues, Transaction& transaction, const Id& id) {
    return queues.RequestCancel(transaction, id).status();
  });
}

void RetryJob(Router& router, std::shared_ptr<ApiExchange> exchange) {
  DecideJob(router, exchange, [](Queues& queues, Transaction& transaction, const Id& id) {
    return queues.Retry(transaction, id);
  });
}

void ListQueues(Router& router, std::shared_ptr<ApiExchange> exchange) {
  Answer(router, *exchange, [&](const Snapshot& snapshot) {
    return QueueListDocument(snapshot, *PartsOf(router).queues, {.what = QueueListQuery::kQueues});
  });
}

void ConfigureQueue(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto patch = ParseJson(exchange->request.body.view(), "The settings");
  if (!patch.ok()) return exchange->Fail(patch.status());
  AdjustQueue(router, exchange, *std::move(patch));
}

void PauseQueue(Router& router, std::shared_ptr<ApiExchange> exchange) {
  AdjustQueue(router, exchange, {{"paused", true}});
}

void ResumeQueue(Router& router, std::shared_ptr<ApiExchange> exchange) {
  AdjustQueue(router, exchange, {{"paused", false}});
}

void RetryQueue(Router& router, std::shared_ptr<ApiExchange> exchange) {
  if (Status name = CheckQueue(exchange->id, true); !name.ok()) return exchange->Fail(name);
  PartsOf(router).queues->RetryAll(exchange->id, "", [exchange](StatusOr<Queues::Retried> retried) {
    if (!retried.ok()) return exchange->Fail(retried.status());
    ReplyJson(*exchange, RetriedDocument(*retried));
  });
}

}  // namespace mediagen
