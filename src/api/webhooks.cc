// POST /v1/webhooks/{provider}/{attempt}?s=<mac> and POST /v1/webhooks/{provider}: what providers send when
// something has happened. Nobody is signed in: the MAC of the URL and the signature prove who asks.
#include "api/problem.h"
#include "api/query.h"
#include "api/router.h"

namespace mediagen {
namespace {

// The MAC, and what providers add to the URLs that they were given, which is nobody's business.
StatusOr<std::string> MacOf(std::string_view query) {
  ASSIGN_OR_RETURN(TargetQuery pairs, TargetQuery::Parse(query));
  return pairs.Text("s").value_or("");
}

}  // namespace

void TakeWebhook(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto mac = MacOf(exchange->request.query);
  if (!mac.ok()) return exchange->Fail(mac.status());
  WebhookCall call{.provider = exchange->provider,
                   .attempt = exchange->id,
                   .mac = *std::move(mac),
                   .headers = exchange->request.headers,
                   .body = exchange->request.body};
  router.parts().pipeline->Webhook(std::move(call), [exchange](const Status& taken) {
    if (!taken.ok()) return exchange->Fail(taken);
    Response response;
    response.status = 204;
    response.headers.emplace_back("Cache-Control", "no-store");
    exchange->Reply(std::move(response));
  });
}

}  // namespace mediagen
