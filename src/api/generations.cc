// /v1/generations
#include <algorithm>

#include "api/documents.h"
#include "api/lease_book.h"
#include "api/pages.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/rate.h"
#include "api/reply.h"
#include "api/router.h"
#include "base/json.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

bool IsJson(std::string_view content_type) {
  return EqualsIgnoreCase(Trim(content_type.substr(0, content_type.find(';'))), "application/json");
}

std::string_view StatusOfRecord(std::string_view record, std::string_view name) {
  // The record is ours: its id is the first member.
  const std::string key = fmt::format("\"{}\":\"", name);
  size_t begin = record.find(key);
  if (begin == std::string_view::npos) return {};
  begin += key.size();
  return record.substr(begin, record.find('"', begin) - begin);
}

// A document that was read but asks for what cannot be is 422.
int StatusForSubmit(const Status& status) {
  const Code code = CodeOf(status);
  if (code == Code::kInvalid) return 422;
  if (code == Code::kNotFound) return 422;  // an unknown provider is a wrong value, not a wrong address
  return HttpStatusOf(code);
}

}  // namespace

namespace {

// What cannot be read counts as a write, not as a generation: it is not free to send.
void RefuseSubmit(Router& router, std::shared_ptr<ApiExchange> exchange, Response refusal) {
  exchange->refusal = std::move(refusal);
  ChargeRate(router, exchange, {.rule = "writes"},
             [exchange] { exchange->Reply(std::move(*exchange->refusal)); });
}

void Submit(Router& router, const std::shared_ptr<ApiExchange>& exchange, const GenerationRequest& request) {
  auto answer = [&router, exchange](StatusOr<BufferRef> record) {
    if (!record.ok()) {
      GiveBackRate(router, *exchange);
      return exchange->Reply(ProblemResponse(record.status(), StatusForSubmit(record.status())));
    }
    const std::string id(StatusOfRecord(record->view(), "id"));
    if (exchange->repeated) GiveBackRate(router, *exchange);  // it was charged before
    if (LeaseBook* leases = router.parts().leases) leases->Keep(id, std::move(exchange->lease));
    exchange->Reply(
        JsonResponse(exchange->request, 202, std::string(record->view()),
                     {{"Location", fmt::format("{}/v1/generations/{}", exchange->request.mount, id)}}));
  };
  router.parts().pipeline->Submit(request, exchange->request.mount, std::move(answer), &exchange->repeated);
}

}  // namespace

void CreateGeneration(Router& router, std::shared_ptr<ApiExchange> exchange) {
  const ApiRequest& request = exchange->request;
  if (!IsJson(request.Header("content-type"))) {
    return RefuseSubmit(
        router, exchange,
        ProblemResponse(Error(Code::kInvalid, "A generation request is application/json."), 415));
  }
  // What cannot be read at all is 400 (or 413), before anybody asks what it says.
  if (auto readable = ParseJson(request.body.view(), "generation request", kRequestLimits); !readable.ok())
    return RefuseSubmit(router, exchange, ProblemResponse(readable.status()));
  std::optional<std::string> key;
  if (std::string_view header = request.Header("idempotency-key"); !header.empty()) key = std::string(header);
  std::optional<std::string> user;
  if (!request.principal.host) user = request.principal.user;
  auto parsed = ParseGenerationRequest(request.body.view(), user, key);
  if (!parsed.ok()) {
    return RefuseSubmit(router, exchange, ProblemResponse(parsed.status(), StatusForSubmit(parsed.status())));
  }
  const RateCharge charge{.rule = "generations", .provider = parsed->provider, .lease = true};
  ChargeRate(router, exchange, charge,
             [&router, exchange, request = *parsed] { Submit(router, exchange, request); });
}

void ListGenerations(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto list = [&router, exchange]() -> StatusOr<std::string> {
    ASSIGN_OR_RETURN(TargetQuery query, TargetQuery::Parse(exchange->request.query));
    GenerationFilter filter;
    ASSIGN_OR_RETURN(int64_t limit, query.Int("limit", kDefaultPage, 1, kLargestPage));
    ASSIGN_OR_RETURN(Id session, query.IdOrEmpty("session"));
    ASSIGN_OR_RETURN(Id project, query.IdOrEmpty("project"));
    if (!session.empty()) filter.session = session;
    if (!project.empty()) filter.project = project;
    auto cursor = query.Text("cursor");
    if (auto status = query.Text("status")) {
      for (std::string_view rest = *status; !rest.empty();) {
        size_t comma = std::min(rest.find(','), rest.size());
        ASSIGN_OR_RETURN(GenerationStatus value, StatusByName(rest.substr(0, comma)));
        filter.statuses.push_back(value);
        rest = rest.substr(std::min(comma + 1, rest.size()));
      }
    }
    RETURN_IF_ERROR(query.Finish());
    return PageDocument(*router.parts().pipeline, exchange->viewer, filter, static_cast<int>(limit), cursor,
                        exchange->request.mount, router.options().secret);
  };
  ReplyWithPage(router, exchange, list);
}

void GetGeneration(Router& router, std::shared_ptr<ApiExchange> exchange) {
  int64_t version = 0;
  auto record =
      router.parts().pipeline->Get(exchange->viewer, exchange->id, exchange->request.mount, &version);
  if (!record.ok()) return exchange->Fail(record.status());
  exchange->Reply(RecordResponse(exchange->request, 200, version, std::string(record->view())));
}

namespace {

using Decision = void (Pipeline::*)(const Viewer&, std::string_view, std::string_view, RecordDone);

// One of the pipeline's decisions about the generation of the path; answered with the record as it then is.
void Decide(Router& router, const std::shared_ptr<ApiExchange>& exchange, Decision decision) {
  (router.parts().pipeline->*decision)(
      exchange->viewer, exchange->id, exchange->request.mount, [exchange](StatusOr<BufferRef> record) {
        if (!record.ok()) return exchange->Fail(record.status());
        exchange->Reply(JsonResponse(exchange->request, 200, std::string(record->view())));
      });
}

}  // namespace

void CancelGeneration(Router& router, std::shared_ptr<ApiExchange> exchange) {
  Decide(router, exchange, &Pipeline::Cancel);
}

void RetryGeneration(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto found = router.parts().pipeline->Find(exchange->viewer, exchange->id);
  if (!found.ok()) return exchange->Fail(found.status());
  auto retry = [&router, exchange, id = found->id.text()] {
    auto answer = [&router, exchange, id](StatusOr<BufferRef> record) {
      if (!record.ok()) {
        GiveBackRate(router, *exchange);
        return exchange->Fail(record.status());
      }
      if (LeaseBook* leases = router.parts().leases) leases->KeepRetry(id, std::move(exchange->lease));
      exchange->Reply(JsonResponse(exchange->request, 200, std::string(record->view())));
    };
    router.parts().pipeline->Retry(exchange->viewer, exchange->id, exchange->request.mount,
                                   std::move(answer));
  };
  const RateCharge charge{.rule = "generations", .provider = found->provider, .lease = true};
  ChargeRate(router, exchange, charge, std::move(retry));
}

void AbandonGeneration(Router& router, std::shared_ptr<ApiExchange> exchange) {
  Decide(router, exchange, &Pipeline::Abandon);
}

}  // namespace mediagen
