// /metrics, /healthz, /readyz
#include "api/problem.h"
#include "api/reply.h"
#include "api/router.h"

namespace mediagen {
namespace {

Response Text(std::string text, std::string content_type) {
  Response response;
  response.headers = {{"Content-Type", std::move(content_type)}, {"Cache-Control", "no-store"}};
  BufferRef body = BufferRef::Own(std::move(text));
  response.body = BytesBody{body, 0, body.size()};
  return response;
}

}  // namespace

void GetMetrics(Router& router, std::shared_ptr<ApiExchange> exchange) {
  exchange->Reply(Text(router.parts().metrics->Text(), "text/plain; version=0.0.4; charset=utf-8"));
}

// The process answers.
void GetHealth(Router&, std::shared_ptr<ApiExchange> exchange) {
  exchange->Reply(Text("ok\n", "text/plain; charset=utf-8"));
}

// The store answers, too.
void GetReady(Router& router, std::shared_ptr<ApiExchange> exchange) {
  Status read = router.parts().pipeline->parts().store->Read(
      [](const Snapshot& snapshot) { return snapshot.AsOf().status(); });
  if (!read.ok()) return exchange->Reply(ProblemResponse(read, 503));
  exchange->Reply(Text("ready\n", "text/plain; charset=utf-8"));
}

}  // namespace mediagen
