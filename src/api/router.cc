#include "api/router.h"

#include <algorithm>
#include <array>

#include "api/documents.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/rate.h"
#include "api/reply.h"
#include "api/signed_url.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

enum class Who { kAnyone, kUser, kAdmin };

struct Route {
  std::string_view method;
  std::string_view pattern;  // "{id}" and "{provider}" stand for one segment each
  Handler handler;
  Who who;
  std::string_view rate;  // the rule that a request is charged to; "" none, or by the handler
  bool inline_first;      // the handler answers from memory when it can, and posts itself otherwise
  bool signable = false;  // a signed URL (signed_url.h) stands for a user who may see it
};

constexpr std::array kRoutes = {
    Route{"POST", "/v1/generations", CreateGeneration, Who::kUser, "", false},
    Route{"GET", "/v1/generations", ListGenerations, Who::kUser, "images", false},
    Route{"GET", "/v1/generations/{id}", GetGeneration, Who::kUser, "images", false},
    Route{"POST", "/v1/generations/{id}/cancel", CancelGeneration, Who::kUser, "writes", false},
    Route{"POST", "/v1/generations/{id}/retry", RetryGeneration, Who::kUser, "", false},
    Route{"POST", "/v1/generations/{id}/abandon", AbandonGeneration, Who::kUser, "writes", false},
    Route{"GET", "/v1/images/{id}", GetImage, Who::kUser, "images", false},
    Route{"GET", "/v1/images/{id}/image", GetImageVariant, Who::kAnyone, "pictures", true, true},
    Route{"GET", "/v1/images/{id}/preview", GetImagePreview, Who::kAnyone, "pictures", true, true},
    Route{"GET", "/v1/outputs/{id}/content", GetOutputContent, Who::kAnyone, "pictures", false, true},
    Route{"POST", "/v1/images/{id}/share", ShareImage, Who::kUser, "writes", false},
    Route{"DELETE", "/v1/images/{id}/share", UnshareImage, Who::kUser, "writes", false},
    Route{"GET", "/s/{id}", GetShared, Who::kAnyone, "pictures", false, true},
    Route{"POST", "/v1/uploads", CreateUpload, Who::kUser, "writes", false},
    Route{"POST", "/v1/uploads/presign", PresignUpload, Who::kUser, "writes", false},
    Route{"PUT", "/v1/uploads/{id}", BringUpload, Who::kAnyone, "writes", false, true},
    Route{"POST", "/v1/uploads/{id}/complete", CompleteUpload, Who::kUser, "writes", false},
    Route{"POST", "/v1/webhooks/{provider}/{id}", TakeWebhook, Who::kAnyone, "", false},
    Route{"POST", "/v1/webhooks/{provider}", TakeWebhook, Who::kAnyone, "", false},
    Route{"GET", "/v1/events", GetEvents, Who::kUser, "images", false},
    Route{"GET", "/v1/jobs", ListJobs, Who::kAdmin, "images", false},
    Route{"GET", "/v1/jobs/{id}", GetJob, Who::kUser, "images", false},
    Route{"GET", "/v1/jobs/{id}/logs", ListJobLogs, Who::kUser, "images", false},
    Route{"GET", "/v1/jobs/{id}/children", ListJobChildren, Who::kUser, "images", false},
    Route{"POST", "/v1/jobs/{id}/cancel", CancelJob, Who::kUser, "writes", false},
    Route{"POST", "/v1/jobs/{id}/retry", RetryJob, Who::kAdmin, "writes", false},
    Route{"GET", "/v1/queues", ListQueues, Who::kAdmin, "images", false},
    Route{"PATCH", "/v1/queues/{id}", ConfigureQueue, Who::kAdmin, "writes", false},
    Route{"POST", "/v1/queues/{id}/pause", PauseQueue, Who::kAdmin, "writes", false},
    Route{"POST", "/v1/queues/{id}/resume", ResumeQueue, Who::kAdmin, "writes", false},
    Route{"POST", "/v1/queues/{id}/retry", RetryQueue, Who::kAdmin, "writes", false},
    Route{"GET", "/v1/usage", GetUsage, Who::kUser, "images", false},
    Route{"GET", "/metrics", GetMetrics, Who::kAdmin, "", false},
    Route{"GET", "/healthz", GetHealth, Who::kAnyone, "", true},
    Route{"GET", "/readyz", GetReady, Who::kAnyone, "", false},
};

// What stood at the names of a pattern.
struct Segments {
  std::string_view provider, id;
};

// Whether `path` fits `pattern`.
bool Fits(std::string_view pattern, std::string_view path, Segments* segments) {
  while (!pattern.empty() && !path.empty()) {
    size_t pattern_end = std::min(pattern.find('/', 1), pattern.size());
    size_t path_end = std::min(path.find('/', 1), path.size());
    std::string_view wanted = pattern.substr(0, pattern_end), segment = path.substr(0, path_end);
    if (wanted.starts_with("/{")) {
      if (segment.size() < 2) return false;
      (wanted == "/{id}" ? segments->id : segments->provider) = segment.substr(1);
    } else if (wanted != segment) {
      return false;
    }
    pattern.remove_prefix(pattern_end);
    path.remove_prefix(path_end);
  }
  return pattern.empty() && path.empty();
}

bool IsSafe(std::string_view method) { return method == "GET" || method == "HEAD"; }

Response NotAllowed(const std::vector<std::string_view>& allowed) {
  Response response = ProblemResponse(
      Error(Code::kInvalid, fmt::format("This resource takes {}.", fmt::join(allowed, ", "))), 405);
  response.headers.emplace_back("Allow", fmt::format("{}", fmt::join(allowed, ", ")));
  return response;
}

// RFC 9110 §15.5.16, §12.5.3: bodies are taken as they are.
Response CodingNotTaken(std::string_view coding) {
  Response response = ProblemResponse(
      Error(Code::kUnsupported, fmt::format("A body in the coding \"{}\" is not taken.", Shorten(coding, 40)),
            {.hint = "Send it without Content-Encoding."}),
      415);
  response.headers.emplace_back("Accept-Encoding", "identity");
  return response;
}

Status CheckPrincipal(const ApiRequest& request, const Route& route) {
  const Principal& principal = request.principal;
  if (route.who == Who::kAnyone || principal.host) return OkStatus();
  const bool admin =
      std::find(principal.roles.begin(), principal.roles.end(), "admin") != principal.roles.end();
  if (route.who == Who::kAdmin && !admin) return Error(Code::kNotFound, "There is nothing here.");
  if (principal.user.empty() && !admin)
    return Error(Code::kUnauthorized, "This needs a signed-in user.", {.hint = "Sign in and try again."});
  return OkStatus();
}

}  // namespace

void ApiExchange::Reply(Response response) {
  if (rate) AddRateHeaders(*rate, &response);
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", challenge);
  Finalise(request, &response);
  ResponseDone call = std::move(done);
  done = nullptr;
  if (call) call(std::move(response));
}

void ApiExchange::Fail(const Status& status) { Reply(ProblemResponse(status)); }

Router::Router(RouterParts parts, RouterOptions options)
    : parts_(parts), options_(std::move(options)), recipes_(options_.recipes) {}

Status Router::ReadSignature(ApiExchange& exchange) const {
  const ApiRequest& in = exchange.request;
  ASSIGN_OR_RETURN(exchange.query, TargetQuery::Parse(in.query));
  if (!exchange.query.Has("signature") && !exchange.query.Has("expires")) return OkStatus();
  const int64_t now_ms = parts_.clock->WallMs();
  ASSIGN_OR_RETURN(exchange.signed_until_ms,
                   VerifySignedUrl(options_.secrets, in.method, in.path, &exchange.query, now_ms));
  exchange.viewer.all = true;  // of what the path names, and that was signed
  return OkStatus();
}

void Router::Handle(ApiRequest request, ResponseDone done) {
  auto exchange = std::make_shared<ApiExchange>();
  exchange->request = std::move(request);
  exchange->done = std::move(done);
  exchange->challenge = options_.www_authenticate;
  const ApiRequest& in = exchange->request;
  if (!options_.origins.cors.empty()) {
    exchange->done = [this, exchange = exchange.get(), done = std::move(exchange->done)](Response response) {
      AddCors(exchange->request, options_.origins, &response);
      done(std::move(response));
    };
  }
  const Route* route = nullptr;
  std::vector<std::string_view> allowed;
  Segments found;
  for (const Route& candidate : kRoutes) {
    Segments segments;
    if (!Fits(candidate.pattern, in.path, &segments)) continue;
    found = segments;
    allowed.push_back(candidate.method);
    if (candidate.method == "GET") allowed.push_back("HEAD");
    if (candidate.method == in.method || (candidate.method == "GET" && in.method == "HEAD"))
      route = &candidate;
  }
  if (allowed.empty())
    return exchange->Fail(
        Error(Code::kNotFound, fmt::format("There is nothing at {}.", Shorten(in.path, 100))));
  allowed.push_back("OPTIONS");
  if (in.method == "OPTIONS") return exchange->Reply(OptionsResponse(in, options_.origins, allowed));
  if (route == nullptr) return exchange->Reply(NotAllowed(allowed));
  for (auto [segment, text] :
       {std::pair(found.id, &exchange->id), std::pair(found.provider, &exchange->provider)}) {
    auto decoded = PercentDecode(segment, false);
    if (!decoded.ok()) return exchange->Fail(decoded.status());
    *text = *decoded;
  }
  exchange->viewer = ViewerOf(in.principal);
  if (Status who = CheckPrincipal(in, *route); !who.ok()) return exchange->Fail(who);
  if (route->signable) {
    if (Status read = ReadSignature(*exchange); !read.ok()) return exchange->Fail(read);
  }
  if (!IsSafe(in.method) && !FromOurPages(in, options_.origins)) {
    return exchange->Fail(Error(Code::kForbidden, "This request came from a page of another site.",
                                {.hint = "Add the page's origin to \"http.allowedOrigins\"."}));
  }
  if (const std::string_view coding = in.Header("content-encoding");
      !IsSafe(in.method) && !coding.empty() && !EqualsIgnoreCase(coding, "identity"))
    return exchange->Reply(CodingNotTaken(coding));
  if (in.body.size() > options_.max_body_bytes) {
    return exchange->Fail(Error(Code::kTooLarge, fmt::format("The body has {} bytes; at most {} are taken.",
                                                             in.body.size(), options_.max_body_bytes)));
  }
  auto handle = [this, exchange, route] {
    if (route->inline_first) return route->handler(*this, exchange);
    const bool posted = parts_.executor->Post([this, exchange, route] { route->handler(*this, exchange); });
    if (!posted) exchange->Fail(Error(Code::kClosed, "The engine is closed."));
  };
  if (route->rate.empty()) return handle();
  ChargeRate(*this, exchange, {.rule = route->rate}, handle);
}

StatusOr<std::string> Router::SignUrl(std::string_view method, std::string_view target,
                                      std::string_view mount, int64_t ttl_ms) const {
  ASSIGN_OR_RETURN(const ApiRequest request, ParseRequest(method, target, "", "", mount));
  ASSIGN_OR_RETURN(const int64_t expires_ms, SignedUrlExpiry(parts_.clock->WallMs(), ttl_ms));
  const bool signable = std::any_of(kRoutes.begin(), kRoutes.end(), [&](const Route& route) {
    Segments segments;
    return route.signable && route.method == request.method && Fits(route.pattern, request.path, &segments);
  });
  if (!signable) {
    return Error(Code::kInvalid,
                 fmt::format("{} {} can't be signed.", request.method, Shorten(request.path, 100)),
                 {.hint = "Signed URLs are for GET of pictures and videos: /v1/images/{id}/image, "
                          "/v1/images/{id}/preview and /v1/outputs/{id}/content."});
  }
  ASSIGN_OR_RETURN(const std::string url, mediagen::SignUrl(options_.secret, request.method, request.path,
                                                            request.query, expires_ms));
  return request.mount + url;
}

StatusOr<ApiRequest> ParseRequest(std::string_view method, std::string_view target, std::string_view headers,
                                  std::string_view principal, std::string_view mount) {
  ApiRequest request;
  const bool good_method =
      !method.empty() && method.size() <= 16 &&
      std::all_of(method.begin(), method.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!good_method) return Error(Code::kInvalid, "The request's method is not one of HTTP's.");
  request.method = method;
  if (target.size() > 8192)
    return Error(Code::kTooLarge, "The request target has more than 8192 bytes.", {.object = "target"});
  const bool good_target =
      !target.empty() && target[0] == '/' &&
      std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (!good_target)
    return Error(Code::kInvalid,
                 "The request target must be a path of visible ASCII characters that begins with '/'.");
  while (!mount.empty() && mount.back() == '/') mount.remove_suffix(1);
  // "/api" is no prefix of "/apiary": what follows it is a path, a query or nothing.
  const bool below = target.starts_with(mount) &&
                     (target.size() == mount.size() ||
                      std::string_view("/?#").find(target[mount.size()]) != std::string_view::npos);
  if (!below) {
    return Error(Code::kNotFound,
                 fmt::format("The target is not below the mount prefix \"{}\".", Shorten(mount, 60)));
  }
  request.mount = mount;
  target.remove_prefix(mount.size());
  target = target.substr(0, target.find('#'));
  size_t question = std::min(target.find('?'), target.size());
  request.path = target.substr(0, question);
  request.query = target.substr(std::min(question + 1, target.size()));
  ASSIGN_OR_RETURN(request.headers, ParseHeaderBlock(headers));
  ASSIGN_OR_RETURN(request.principal, ParsePrincipal(principal));
  return request;
}

}  // namespace mediagen
