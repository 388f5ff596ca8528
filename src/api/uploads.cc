// /v1/uploads: a picture or video as the body of the request, as a part of a form, as a data URL, or by the
// URL where it stands.
#include "api/uploads.h"

#include <algorithm>

#include "api/multipart.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/reply.h"
#include "api/router.h"
#include "base/data_uri.h"
#include "base/json.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr std::string_view kSaid[] = {"user", "visibility", "reuse"};  // of an upload, wherever it is said
constexpr size_t kMaxFieldBytes = 256;                                 // of a form
constexpr size_t kMaxUrlBytes = 8192;

// What the bytes are is found by looking at them; the type only says that they are the picture itself.
bool IsBinary(std::string_view type) {
  return type == "application/octet-stream" || type.starts_with("image/") || type.starts_with("video/");
}

Status NotTaken(std::string_view type) {
  return Error(Code::kUnsupported,
               type.empty() ? std::string("The upload has no Content-Type.")
                            : fmt::format("An upload of type \"{}\" is not taken.", Shorten(type, 80)),
               {.hint = "Send the picture itself as the body with its own Content-Type (image/png) or "
                        "application/octet-stream, a form (multipart/form-data) with a part \"file\", or "
                        "JSON with \"dataUrl\" or \"url\"."});
}

// Adds what is said of the upload to `said`; it may be said once.
Status Say(std::string_view name, const Json& value, Json* said) {
  if (said->contains(name)) {
    return Error(Code::kInvalid, fmt::format("\"{}\" of the upload is said twice.", name),
                 {.hint = "Say it in the query or in the body.", .object = std::string(name)});
  }
  (*said)[std::string(name)] = value;
  return OkStatus();
}

// Queries and forms have no types.
Json ValueOf(std::string_view name, std::string_view text) {
  if (name == "reuse" && (text == "true" || text == "false")) return text == "true";
  return Json(std::string(text));
}

// ?visibility= and ?reuse=, and for the host itself ?user=.
StatusOr<Json> ReadQuery(const ApiRequest& request) {
  ASSIGN_OR_RETURN(TargetQuery query, TargetQuery::Parse(request.query));
  Json said = Json::object();
  for (std::string_view name : kSaid) {
    if (auto value = query.Text(name)) said[std::string(name)] = ValueOf(name, *value);
  }
  RETURN_IF_ERROR(query.Finish());
  return said;
}

// What a request brings, and what it says of it.
struct Brought {
  NewUpload upload;
  BufferRef bytes;
  std::string url;  // where they are to be had instead
};

StatusOr<NewUpload> ReadSaid(const ApiRequest& request, const Json& said) {
  std::optional<std::string> user;
  if (!request.principal.host) user = request.principal.user;
  return ParseUpload(Dump(said), user);
}

// A view into `whole`, which it keeps alive.
BufferRef Slice(const BufferRef& whole, std::string_view part) {
  return BufferRef::Alias(part, std::make_shared<BufferRef>(whole));
}

Status ReadField(const FormPart& part, Json* said) {
  if (std::find(std::begin(kSaid), std::end(kSaid), part.name) == std::end(kSaid)) {
    return Error(Code::kInvalid,
                 fmt::format("The form has a field \"{}\", which is unknown here.",
                             Shorten(ReplaceBadUtf8(part.name), 60)),
                 {.hint = "The fields are file, user, visibility and reuse."});
  }
  if (part.body.size() > kMaxFieldBytes || !IsUtf8(part.body)) {
    return Error(Code::kInvalid, fmt::format("The field \"{}\" of the form is no text of at most {} bytes.",
                                             part.name, kMaxFieldBytes));
  }
  return Say(part.name, ValueOf(part.name, part.body), said);
}

// The part named "file", or else the first that has a file's name; any other beside it is refused.
StatusOr<Brought> ReadForm(const ApiRequest& request, Json said) {
  ASSIGN_OR_RETURN(const std::string boundary, MultipartBoundary(request.Header("content-type")));
  ASSIGN_OR_RETURN(const std::vector<FormPart> parts, ParseMultipart(boundary, request.body.view()));
  const FormPart* file = nullptr;
  for (const FormPart& part : parts) {
    if (!part.file && part.name != "file") {
      RETURN_IF_ERROR(ReadField(part, &said));
      continue;
    }
    if (file != nullptr) {
      return Error(Code::kInvalid, "The form has more than one file.",
                   {.hint = "Send one request for each."});
    }
    file = &part;
  }
  if (file == nullptr) {
    return Error(Code::kInvalid, "The form has no file.",
                 {.hint = "Name the part \"file\": curl -F file=@fox.png"});
  }
  Brought brought;
  ASSIGN_OR_RETURN(brought.upload, ReadSaid(request, said));
  brought.bytes = Slice(request.body, file->body);
  return brought;
}

// {"dataUrl" | "url", "user", "visibility", "reuse"}
StatusOr<Brought> ReadDocument(const ApiRequest& request, Json said, uint64_t max_bytes) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(request.body.view(), "upload", {.max_bytes = max_bytes}));
  FieldReader fields(json, "upload");
  const Json* data = fields.Take("dataUrl");
  Brought brought;
  fields.String("url", &brought.url, {.max_bytes = kMaxUrlBytes});
  for (std::string_view name : kSaid) {
    const Json* value = fields.Take(name);
    if (value != nullptr) fields.Fail(Say(name, *value, &said));
  }
  if ((data != nullptr) == !brought.url.empty())
    fields.Fail(Error(Code::kInvalid, "An upload by JSON has either \"dataUrl\" or \"url\"."));
  if (data != nullptr && !data->is_string()) fields.Refuse("dataUrl", "must be a string");
  RETURN_IF_ERROR(fields.Finish());
  ASSIGN_OR_RETURN(brought.upload, ReadSaid(request, said));
  if (data == nullptr) return brought;
  const auto& text = data->get_ref<const std::string&>();
  ASSIGN_OR_RETURN(const DataUri uri, ParseDataUri(text));
  ASSIGN_OR_RETURN(std::string bytes, DecodeDataUri(uri, max_bytes));
  brought.bytes = BufferRef::Own(std::move(bytes));
  return brought;
}

// What is wrong with a URL is the request's fault; what its server does is not.
int StatusOfUnfetched(Code code) {
  switch (code) {
    case Code::kInvalid:
    case Code::kForbidden:
      return 422;
    case Code::kUnavailable:
      return 502;
    case Code::kCanceled:
      return 503;
    default:
      return HttpStatusOf(code);
  }
}

}  // namespace

int HttpStatusOfUpload(Code code) {
  return code == Code::kInvalid || code == Code::kUnsupported ? 422 : HttpStatusOf(code);
}

void AnswerUpload(ApiExchange& exchange, const StatusOr<Uploaded>& uploaded) {
  if (!uploaded.ok()) {
    const Status& why = uploaded.status();
    return exchange.Reply(ProblemResponse(why, HttpStatusOfUpload(CodeOf(why))));
  }
  const ApiRequest& request = exchange.request;
  HeaderList headers;
  if (uploaded->created)
    headers.emplace_back("Location", fmt::format("{}/v1/images/{}", request.mount, uploaded->id.text()));
  exchange.Reply(JsonResponse(request, uploaded->created ? 201 : 200, std::string(uploaded->record.view()),
                              std::move(headers)));
}

void CreateUpload(Router& router, std::shared_ptr<ApiExchange> exchange) {
  const ApiRequest& request = exchange->request;
  const std::string type = ToLower(MediaTypeOf(request.Header("content-type")));
  auto read = [&]() -> StatusOr<Brought> {
    ASSIGN_OR_RETURN(Json said, ReadQuery(request));
    if (type == "multipart/form-data") return ReadForm(request, std::move(said));
    if (type == "application/json")
      return ReadDocument(request, std::move(said), router.options().max_body_bytes);
    ASSIGN_OR_RETURN(NewUpload upload, ReadSaid(request, said));
    return Brought{std::move(upload), request.body, ""};
  };
  if (!IsBinary(type) && type != "multipart/form-data" && type != "application/json")
    return exchange->Reply(ProblemResponse(NotTaken(type), 415));
  auto brought = read();
  if (!brought.ok()) return exchange->Fail(brought.status());
  auto answer = [exchange](const StatusOr<Uploaded>& uploaded) { AnswerUpload(*exchange, uploaded); };
  Pipeline* const pipeline = router.parts().pipeline;
  if (brought->url.empty()) return pipeline->Upload(brought->upload, brought->bytes, request.mount, answer);
  pipeline->UploadFrom(brought->upload, brought->url, request.mount, answer, [exchange](const Status& why) {
    exchange->Reply(ProblemResponse(why, StatusOfUnfetched(CodeOf(why))));
  });
}

}  // namespace mediagen
