// /v1/uploads: a picture or video as the body of the request.
#include "api/problem.h"
#include "api/query.h"
#include "api/reply.h"
#include "api/router.h"
#include "base/json.h"
#include "base/text.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

// What the bytes are is found by looking at them; the type only says that they are the picture itself.
bool IsBinary(std::string_view content_type) {
  const std::string type = ToLower(Trim(content_type.substr(0, content_type.find(';'))));
  return type == "application/octet-stream" || type.starts_with("image/") || type.starts_with("video/");
}

Status NotBinary(std::string_view content_type) {
  return Error(Code::kUnsupported,
               content_type.empty()
                   ? std::string("The upload has no Content-Type.")
                   : fmt::format("An upload of type \"{}\" is not taken.", Shorten(content_type, 80)),
               {.hint = "Send the picture itself as the body, with its own Content-Type (image/png) or "
                        "application/octet-stream."});
}

// ?visibility=, and for the host itself ?user=.
StatusOr<NewUpload> ReadUpload(const ApiRequest& request) {
  ASSIGN_OR_RETURN(TargetQuery query, TargetQuery::Parse(request.query));
  Json metadata = Json::object();
  for (const char* name : {"user", "visibility"}) {
    if (auto value = query.Text(name)) metadata[name] = *value;
  }
  RETURN_IF_ERROR(query.Finish());
  std::optional<std::string> user;
  if (!request.principal.host) user = request.principal.user;
  return ParseUpload(Dump(metadata), user);
}

}  // namespace

void CreateUpload(Router& router, std::shared_ptr<ApiExchange> exchange) {
  const ApiRequest& request = exchange->request;
  const std::string_view type = request.Header("content-type");
  if (!IsBinary(type)) return exchange->Reply(ProblemResponse(NotBinary(type), 415));
  auto upload = ReadUpload(request);
  if (!upload.ok()) return exchange->Fail(upload.status());
  router.parts().pipeline->Upload(
      *upload, request.body, request.mount, [exchange](StatusOr<BufferRef> record) {
        if (!record.ok()) {
          const Code code = CodeOf(record.status());
          const bool unreadable = code == Code::kInvalid || code == Code::kUnsupported;
          return exchange->Reply(ProblemResponse(record.status(), unreadable ? 422 : HttpStatusOf(code)));
        }
        Json output = Json::parse(record->view(), nullptr, false);
        const std::string id = output.is_object() ? output.value("id", "") : "";
        exchange->Reply(
            JsonResponse(exchange->request, 201, std::string(record->view()),
                         {{"Location", fmt::format("{}/v1/images/{}", exchange->request.mount, id)}}));
      });
}

}  // namespace mediagen
