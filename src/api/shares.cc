// /v1/images/{id}/share: public links to one picture or video; /s/{token} (pictures.cc) is where they lead.
#include "api/reply.h"
#include "api/router.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

Status NoPicture(const ApiExchange& exchange) {
  return Error(Code::kNotFound, fmt::format("There is no picture {}.", Shorten(exchange.id, 60)));
}

}  // namespace

void ShareImage(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto id = Id::Parse(exchange->id);
  if (!id.ok()) return exchange->Fail(NoPicture(*exchange));
  router.parts().pipeline->Share(
      exchange->viewer, *id, exchange->request.mount, [exchange](StatusOr<BufferRef> share) {
        if (!share.ok()) return exchange->Fail(share.status());
        exchange->Reply(JsonResponse(exchange->request, 201, std::string(share->view())));
      });
}

void UnshareImage(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto id = Id::Parse(exchange->id);
  if (!id.ok()) return exchange->Fail(NoPicture(*exchange));
  router.parts().pipeline->Unshare(exchange->viewer, *id, [exchange](Status done) {
    if (!done.ok()) return exchange->Fail(done);
    Response response;
    response.status = 204;
    response.headers = {{"Cache-Control", "no-store"}};
    exchange->Reply(std::move(response));
  });
}

}  // namespace mediagen
