// Uploads by signed URL: POST /v1/uploads/presign, PUT /v1/uploads/{id}, POST /v1/uploads/{id}/complete. A
// browser uploads without carrying its user's credentials, and the backend learns of what is whole.
#include "api/problem.h"
#include "api/reply.h"
#include "api/router.h"
#include "api/signed_url.h"
#include "api/uploads.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kTimeToBringMs = 900'000;  // at least; it ends with an hour
constexpr Format kStored[] = {Format::kPng, Format::kJpeg, Format::kWebp,
                              Format::kGif, Format::kMp4,  Format::kWebm};

StatusOr<Id> UploadId(const ApiExchange& exchange) {
  auto id = Id::Parse(exchange.id);
  if (id.ok()) return id;
  return Error(Code::kNotFound, fmt::format("There is no upload {}.", Shorten(exchange.id, 60)));
}

// {"contentType", "bytes", "visibility", "user", "reuse"}, all of them optional.
StatusOr<PendingUpload> ReadPresign(const ApiRequest& request, uint64_t max_bytes) {
  const std::string_view body = request.body.view();
  Json json = Json::object();
  if (!Trim(body).empty()) {
    ASSIGN_OR_RETURN(json, ParseJson(body, "upload", {.max_bytes = 16 << 10}));
  }
  PendingUpload pending;
  pending.max_bytes = static_cast<int64_t>(max_bytes);
  if (json.is_object()) {
    // What the way of bringing it says; the rest is what every upload says.
    Json limits = Json::object();
    for (const char* name : {"contentType", "bytes"}) {
      if (auto field = json.find(name); field != json.end()) {
        limits[name] = std::move(*field);
        json.erase(field);
      }
    }
    FieldReader fields(limits, "upload");
    fields.String("contentType", &pending.media_type, {.max_bytes = 80});
    fields.Int("bytes", &pending.max_bytes, 1, int64_t{1} << 40);
    RETURN_IF_ERROR(fields.Finish());
  }
  if (static_cast<uint64_t>(pending.max_bytes) > max_bytes) {
    return Error(Code::kTooLarge, fmt::format("At most {} bytes are taken.", max_bytes),
                 {.hint = "Raise \"media.maxUploadBytes\".", .object = "bytes"});
  }
  bool known = pending.media_type.empty();
  for (Format format : kStored) known = known || MediaType(format) == pending.media_type;
  if (!known) {
    return Error(Code::kUnsupported,
                 fmt::format("Uploads of type \"{}\" are not stored.", Shorten(pending.media_type, 80)),
                 {.hint = "PNG, JPEG, WebP and GIF are, and MP4 and WebM.", .object = "contentType"});
  }
  std::optional<std::string> user;
  if (!request.principal.host) user = request.principal.user;
  ASSIGN_OR_RETURN(const NewUpload upload, ParseUpload(Dump(json), user));
  pending.user = upload.user;
  pending.visibility = upload.visibility;
  pending.reuse = upload.reuse;
  return pending;
}

// {"id", "url", "method", "headers", "expiresAt", "completeUrl"}
std::string TicketJson(const PendingUpload& pending, const std::string& base, const std::string& url) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.IdOrNull("id", pending.id);
  json.Text("url", base + url);
  json.Text("method", "PUT");
  json.Key("headers");
  json.BeginObject();
  if (!pending.media_type.empty()) json.Text("Content-Type", pending.media_type);
  json.EndObject();
  json.Time("expiresAt", pending.expires_ms);
  json.Text("completeUrl", fmt::format("{}/v1/uploads/{}/complete", base, pending.id.text()));
  json.EndObject();
  return out;
}

}  // namespace

void PresignUpload(Router& router, std::shared_ptr<ApiExchange> exchange) {
  const ApiRequest& request = exchange->request;
  auto pending = ReadPresign(request, router.options().max_body_bytes);
  if (!pending.ok()) return exchange->Fail(pending.status());
  const PipelineParts& parts = router.parts().pipeline->parts();
  pending->id = parts.ids->Next();
  auto expiry = SignedUrlExpiry(parts.clock->WallMs(), kTimeToBringMs);
  if (!expiry.ok()) return exchange->Fail(expiry.status());
  pending->expires_ms = *expiry;
  auto url = SignUrl(router.options().secret, "PUT", fmt::format("/v1/uploads/{}", pending->id.text()), "",
                     pending->expires_ms);
  if (!url.ok()) return exchange->Fail(url.status());
  const std::string& base = parts.public_base_url.empty() ? request.mount : parts.public_base_url;
  router.parts().pipeline->AllowUpload(
      *pending, [exchange, ticket = TicketJson(*pending, base, *url)](const Status& allowed) {
        if (!allowed.ok()) return exchange->Fail(allowed);
        exchange->Reply(JsonResponse(exchange->request, 201, ticket, {{"Cache-Control", "no-store"}}));
      });
}

// The signature is all that is asked for: whoever was given the URL brings the bytes.
void BringUpload(Router& router, std::shared_ptr<ApiExchange> exchange) {
  if (exchange->signed_until_ms == 0) {
    return exchange->Fail(Error(Code::kForbidden, "The URL is not signed.",
                                {.hint = "POST /v1/uploads/presign makes one that is."}));
  }
  if (Status finished = exchange->query.Finish(); !finished.ok()) return exchange->Fail(finished);
  auto id = UploadId(*exchange);
  if (!id.ok()) return exchange->Fail(id.status());
  router.parts().pipeline->BringUpload(*id, exchange->request.body, [exchange](const Status& brought) {
    if (!brought.ok()) return exchange->Reply(ProblemResponse(brought, HttpStatusOfUpload(CodeOf(brought))));
    Response response;
    response.status = 204;
    response.headers.emplace_back("Cache-Control", "no-store");
    exchange->Reply(std::move(response));
  });
}

void CompleteUpload(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto id = UploadId(*exchange);
  if (!id.ok()) return exchange->Fail(id.status());
  router.parts().pipeline->CompleteUpload(
      exchange->viewer, *id, exchange->request.mount,
      [exchange](const StatusOr<Uploaded>& uploaded) { AnswerUpload(*exchange, uploaded); });
}

}  // namespace mediagen
