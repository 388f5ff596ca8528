#include "simulator/replicate.h"

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "fmt/format.h"
#include "net/http_date.h"
#include "simulator/wires.h"

namespace mediagen::simulator {
namespace {

constexpr size_t kPageSize = 100;

Reply Problem(int status, const std::string& title, const std::string& detail) {
  Reply reply = Answer(status, {{"title", title}, {"detail", detail}, {"status", status}});
  reply.content_type = "application/problem+json";
  return reply;
}

std::optional<Reply> CheckKey(const Request& request) {
  const std::string key = request.Header("authorization");
  if (!key.starts_with("Bearer ") || key == "Bearer bad" || key == "Bearer ") {
    return Problem(401, "Unauthenticated", "You did not pass a valid authentication token");
  }
  if (key == "Bearer broke")
    return Problem(402, "Insufficient credit", "You have insufficient credit to run this model.");
  return std::nullopt;
}

// An error in the place of an answer, with the hint in the form that was asked for.
Reply ErrorReply(const Json& fault) {
  const int status = static_cast<int>(IntOf(fault, "status", 500));
  const int64_t seconds = IntOf(fault, "retryAfter", -1);
  const std::string as = TextOf(fault, "retryAs", "header");
  if (IsTrue(fault, "html")) {
    return {.status = status,
            .content_type = "text/html",
            .body = fmt::format("<html><h1>{} Bad Gateway</h1><hr>nginx</html>", status)};
  }
  std::string detail = status == 429 ? "Request was throttled." : "Simulated failure.";
  if (seconds >= 0 && as == "text") detail += fmt::format(" Expected available in {} second.", seconds);
  Reply reply = Problem(status, "Simulated", detail);
  if (seconds >= 0 && as == "header") reply.headers.emplace_back("Retry-After", fmt::format("{}", seconds));
  if (seconds >= 0 && as == "date") {
    reply.headers.emplace_back("Date", FormatHttpDate(NowMs()));
    reply.headers.emplace_back("Retry-After", FormatHttpDate(NowMs() + seconds * 1000));
  }
  return reply;
}

}  // namespace

Reply Replicate::Handle(const Request& request, const std::string& path) {
  if (path.starts_with("/files/")) return File(path);
  return HandleApi(request, path.starts_with("/v1/") ? path.substr(3) : path);
}

Reply Replicate::HandleApi(const Request& request, const std::string& path) {
  const bool post = request.method == "POST";
  std::string id;
  if (post && StartsAndEnds(path, "/predictions/", "/cancel", &id)) {
    std::optional<Reply> refused = CheckKey(request);
    return refused ? *refused : Cancel(id);
  }
  if (post && path.ends_with("/predictions")) return Create(request, path);
  if (std::optional<Reply> refused = CheckKey(request)) return *refused;
  if (request.method == "GET" && path == "/predictions") return List(request);
  if (request.method == "GET" && path == "/webhooks/default/secret")
    return Answer(200, {{"key", kStandardWebhookSecret}});
  if (request.method == "GET" && StartsAndEnds(path, "/predictions/", "", &id)) return Get(id);
  return Answer(404, {{"detail", "The requested resource could not be found."}, {"status", 404}});
}

Reply Replicate::Create(const Request& request, const std::string& path) {
  Paid paid(shared_->journal, "replicate", request);
  Prediction prediction;
  StatusOr<Json> body = ParseJson(request.body, "the request", {.max_bytes = 64 << 20});
  if (body.ok() && body->is_object() && body->contains("input"))
    paid.input = prediction.input = (*body)["input"];
  if (std::optional<Reply> refused = CheckKey(request)) return paid.Reject(*refused);
  if (!body.ok() || !body->is_object())
    return paid.Reject(Problem(400, "Bad request", "The body is not a JSON object."));
  if (!prediction.input.is_object())
    return paid.Reject(Problem(422, "Input validation failed", "input: is required"));

  std::string name;
  prediction.version = TextOf(*body, "version");
  prediction.webhook = TextOf(*body, "webhook");
  if (path == "/predictions") {
    if (prediction.version.empty())
      return paid.Reject(Problem(422, "Input validation failed", "version: is required"));
  } else if (StartsAndEnds(path, "/models/", "/predictions", &name)) {
    prediction.model = name;
  } else if (StartsAndEnds(path, "/deployments/", "/predictions", &name)) {
    prediction.deployment = name;
  }
  if (prediction.model.ends_with("/missing"))
    return paid.Reject(Problem(404, "Not found", "The requested resource could not be found."));
  auto prompt = prediction.input.find("prompt");
  if (prompt != prediction.input.end() && !prompt->is_string()) {
    return paid.Reject(
        Problem(422, "Input validation failed", "- input.prompt: Invalid type. Expected: string"));
  }
  return Accept(&paid, std::move(prediction), shared_->faults.Take(paid.input));
}

Reply Replicate::Accept(Paid* paid, Prediction prediction, const Json& fault) {
  return paid->Answer(fault, ErrorReply, [&] {
    prediction.fault = fault;
    prediction.created_ms = NowMs();
    prediction = shared_->predictions.Add(prediction);
    paid->id = prediction.id;
    shared_->webhooks.Expect("replicate", prediction, [shared = shared_, id = prediction.id] {
      return Dump(ToJson(*shared->predictions.Find(id), NowMs(), shared->origin + "/v1", shared->origin));
    });
    return Answer(201, ToJson(prediction, NowMs(), shared_->origin + "/v1", shared_->origin));
  });
}

Reply Replicate::Get(const std::string& id) {
  std::optional<Prediction> prediction = shared_->predictions.Find(id);
  if (!prediction)
    return Answer(404, {{"detail", "The requested resource could not be found."}, {"status", 404}});
  const int64_t poll_status = IntOf(prediction->fault, "pollStatus", 0);
  if (poll_status > 0 &&
      shared_->predictions.FirstTimes("poll " + id, IntOf(prediction->fault, "pollTimes", 1))) {
    Reply reply = Problem(static_cast<int>(poll_status), "Simulated", "Simulated failure of a poll.");
    const int64_t seconds = IntOf(prediction->fault, "pollRetryAfter", -1);
    if (seconds >= 0) reply.headers.emplace_back("Retry-After", fmt::format("{}", seconds));
    return reply;
  }
  return Answer(200, ToJson(*prediction, NowMs(), shared_->origin + "/v1", shared_->origin));
}

Reply Replicate::List(const Request& request) {
  const std::string after = request.Parameter("created_after"), before = request.Parameter("created_before");
  StatusOr<int64_t> after_ms = after.empty() ? StatusOr<int64_t>(0) : ParseTime(after);
  StatusOr<int64_t> before_ms = before.empty() ? StatusOr<int64_t>(INT64_MAX) : ParseTime(before);
  if (!after_ms.ok() || !before_ms.ok())
    return Problem(400, "Bad request", "created_after and created_before are RFC 3339 times.");
  const std::string cursor_text = request.Parameter("cursor");
  size_t cursor = 0, next = 0;
  std::from_chars(cursor_text.data(), cursor_text.data() + cursor_text.size(), cursor);
  Json results = Json::array();
  for (const Prediction& prediction :
       shared_->predictions.List(*after_ms, *before_ms, cursor, kPageSize, &next)) {
    results.push_back(ToJson(prediction, NowMs(), shared_->origin + "/v1", shared_->origin));
  }
  Json page = {{"previous", nullptr}, {"next", nullptr}, {"results", std::move(results)}};
  if (next > 0) {
    page["next"] = fmt::format("{}/v1/predictions?cursor={}", shared_->origin, next);
    if (!after.empty())
      page["next"] =
          fmt::format("{}&created_after={}", page["next"].get<std::string>(), PercentEncode(after));
    if (!before.empty())
      page["next"] =
          fmt::format("{}&created_before={}", page["next"].get<std::string>(), PercentEncode(before));
  }
  return Answer(200, page);
}

Reply Replicate::Cancel(const std::string& id) {
  std::optional<Prediction> prediction = shared_->predictions.Cancel(id, NowMs());
  if (!prediction)
    return Answer(404, {{"detail", "The requested resource could not be found."}, {"status", 404}});
  return Answer(200, ToJson(*prediction, NowMs(), shared_->origin + "/v1", shared_->origin));
}

// "/files/<id>/<n>.png"
Reply Replicate::File(const std::string& path) {
  std::string middle;
  const Reply missing = Problem(404, "Not found", "There is no such file.");
  if (!StartsAndEnds(path, "/files/", ".png", &middle)) return missing;
  const size_t slash = middle.find('/');
  std::optional<Prediction> prediction = shared_->predictions.Find(middle.substr(0, slash));
  int64_t n = -1;
  if (slash != std::string::npos)
    std::from_chars(middle.data() + slash + 1, middle.data() + middle.size(), n);
  if (!prediction || n < 0 || n >= OutputCount(prediction->input) || !HasSucceeded(*prediction, NowMs()))
    return missing;

  const Json& fault = prediction->fault;
  const bool faulty =
      shared_->predictions.FirstTimes("file " + middle, IntOf(fault, "outputTimes", INT64_MAX));
  if (faulty && fault.contains("outputStatus"))
    return Problem(static_cast<int>(IntOf(fault, "outputStatus", 404)), "Simulated",
                   "Simulated failure of a download.");
  if (faulty && fault.contains("outputRedirect"))
    return {.status = 302, .headers = {{"Location", TextOf(fault, "outputRedirect")}}};
  StatusOr<BufferRef> png = shared_->pictures.Png(*prediction, n);
  if (!png.ok()) return Problem(500, "Drawing failed", InfoOf(png.status()).message);
  Reply reply{.content_type = "image/png",
              .headers = {{"Cache-Control", "max-age=3600"}},
              .body = std::string(png->view())};
  if (faulty) reply.delay_ms = IntOf(fault, "outputDelayMs", 0);
  if (faulty && IsTrue(fault, "outputTruncate")) {
    reply.cut = Reply::kTruncated;
    reply.cut_at = reply.body.size() / 2;
  }
  return reply;
}

}  // namespace mediagen::simulator
