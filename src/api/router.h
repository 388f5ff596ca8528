// Router: one HTTP-shaped request in, one response out. The routes are a table (routes.cc); each resource is
// one file.
//
// Thread-safe. A picture that is in memory is answered inline; everything else runs on the executor. Every
// answer, errors included, is a Response; `done` is called exactly once.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/browser.h"
#include "api/client_address.h"
#include "api/http.h"
#include "api/query.h"
#include "events/hub.h"
#include "limit/limiter.h"
#include "media/media.h"
#include "pipeline/pipeline.h"

namespace mediagen {

class LeaseBook;

struct RouterParts {
  Pipeline* pipeline = nullptr;
  Media* media = nullptr;
  Hub* hub = nullptr;
  Limiter* limiter = nullptr;  // null: no limits
  Executor* executor = nullptr;
  Clock* clock = nullptr;
  Metrics* metrics = nullptr;
  Cache* cache = nullptr;                          // null: list pages are made anew each time
  const std::atomic<int64_t>* followed = nullptr;  // of the event log, by `cache` (invalidation.h)
  LeaseBook* leases = nullptr;                     // null: what a generation was charged stays charged
};

struct RouterOptions {
  std::string secret;                // signs cursors and URLs
  std::vector<std::string> secrets;  // by any of which a URL may be signed
  OriginRules origins;
  AddressRules addresses;
  std::string www_authenticate = "Bearer";
  std::vector<Recipe> recipes;
  uint64_t max_body_bytes = 52'428'800;
};

// A request on its way through: what the handlers of all resources share.
struct ApiExchange {
  ApiRequest request;
  std::string provider, id;  // the {provider} and {id} of the route's pattern, decoded; "" without
  Viewer viewer;
  TargetQuery query;                  // of a route that can be signed, without the signature
  int64_t signed_until_ms = 0;        // wall; 0: it is not signed
  int64_t shared_max_age_s = -1;      // it came by a share link, which is kept so long; -1: it did not
  std::optional<LimitDecision> rate;  // what its limit said (rate.h)
  LimitLease lease;                   // on what it was charged, for what may yet fail
  bool repeated = false;              // a submit that was accepted before
  std::optional<Response> refusal;    // found on the way, to be sent
  std::string_view challenge;         // what a 401 says in WWW-Authenticate
  ResponseDone done;

  void Reply(Response response);
  void Fail(const Status& status);
};

class Router {
 public:
  Router(RouterParts parts, RouterOptions options);

  void Handle(ApiRequest request, ResponseDone done);

  // Engine::SignUrl.
  StatusOr<std::string> SignUrl(std::string_view method, std::string_view target, std::string_view mount,
                                int64_t ttl_ms) const;

  const RouterParts& parts() const { return parts_; }
  const RouterOptions& options() const { return options_; }
  const RecipeList& recipes() const { return recipes_; }

 private:
  Status ReadSignature(ApiExchange& exchange) const;

  RouterParts parts_;
  RouterOptions options_;
  RecipeList recipes_;
};

// method, target and blocks of the C ABI → a ApiRequest, the mount cut off. kInvalid says what is malformed.
StatusOr<ApiRequest> ParseRequest(std::string_view method, std::string_view target, std::string_view headers,
                                  std::string_view principal, std::string_view mount);

// The resources. Each handler owns the exchange and must end it.
using Handler = void (*)(Router&, std::shared_ptr<ApiExchange>);
void CreateGeneration(Router&, std::shared_ptr<ApiExchange>);
void ListGenerations(Router&, std::shared_ptr<ApiExchange>);
void GetGeneration(Router&, std::shared_ptr<ApiExchange>);
void CancelGeneration(Router&, std::shared_ptr<ApiExchange>);
void RetryGeneration(Router&, std::shared_ptr<ApiExchange>);
void AbandonGeneration(Router&, std::shared_ptr<ApiExchange>);
void GetImage(Router&, std::shared_ptr<ApiExchange>);
void GetImageVariant(Router&, std::shared_ptr<ApiExchange>);
void GetImagePreview(Router&, std::shared_ptr<ApiExchange>);
void GetOutputContent(Router&, std::shared_ptr<ApiExchange>);
void ShareImage(Router&, std::shared_ptr<ApiExchange>);
void UnshareImage(Router&, std::shared_ptr<ApiExchange>);
void GetShared(Router&, std::shared_ptr<ApiExchange>);
void CreateUpload(Router&, std::shared_ptr<ApiExchange>);
void PresignUpload(Router&, std::shared_ptr<ApiExchange>);
void BringUpload(Router&, std::shared_ptr<ApiExchange>);
void CompleteUpload(Router&, std::shared_ptr<ApiExchange>);
void TakeWebhook(Router&, std::shared_ptr<ApiExchange>);
void GetEvents(Router&, std::shared_ptr<ApiExchange>);
void ListJobs(Router&, std::shared_ptr<ApiExchange>);
void GetJob(Router&, std::shared_ptr<ApiExchange>);
void ListJobLogs(Router&, std::shared_ptr<ApiExchange>);
void ListJobChildren(Router&, std::shared_ptr<ApiExchange>);
void CancelJob(Router&, std::shared_ptr<ApiExchange>);
void RetryJob(Router&, std::shared_ptr<ApiExchange>);
void ListQueues(Router&, std::shared_ptr<ApiExchange>);
void ConfigureQueue(Router&, std::shared_ptr<ApiExchange>);
void PauseQueue(Router&, std::shared_ptr<ApiExchange>);
void ResumeQueue(Router&, std::shared_ptr<ApiExchange>);
void RetryQueue(Router&, std::shared_ptr<ApiExchange>);
void GetUsage(Router&, std::shared_ptr<ApiExchange>);
void GetMetrics(Router&, std::shared_ptr<ApiExchange>);
void GetHealth(Router&, std::shared_ptr<ApiExchange>);
void GetReady(Router&, std::shared_ptr<ApiExchange>);

}  // namespace mediagen
