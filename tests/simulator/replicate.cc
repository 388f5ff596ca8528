#include "simulator/replicate.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/clock.h"
#include "fmt/format.h"
#include "net/http_date.h"

namespace mediagen::simulator {
namespace {

constexpr size_t kPageSize = 100;

int64_t NowMs() { return SystemClock()->WallMs(); }

Reply Answer(int status, const Json& json) { return {.status = status, .body = Dump(json)}; }

Reply Problem(int status, const std::string& title, const std::string& detail) {
  Reply reply = Answer(status, {{"title", title}, {"detail", detail}, {"status", status}});
  reply.content_type = "application/problem+json";
  return reply;
}

bool StartsAndEnds(const std::string& path, std::string_view start, std::string_view end,
                   std::string* middle) {
  if (path.size() <= start.size() + end.size() || !path.starts_with(start) || !path.ends_with(end))
    return false;
  *middle = path.substr(start.size(), path.size() - start.size() - end.size());
  return true;
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

bool IsDefinite(int status) {
  static const std::set<int> kDefinite = {400, 401, 402, 403, 404, 413, 415, 422, 429};
  return kDefinite.count(status) > 0;
}

}  // namespace

// What the journal will say of a create.
struct Replicate::Paid {
  const Request& request;
  Prediction prediction;
  Journal* journal;

  // The line is on the disk before the caller goes on. When it is not, nobody may be told anything: the
  // connection is dropped.
  Reply Record(Reply reply, const std::string& answer, bool accepted) const {
    const bool definite = !accepted && reply.cut == Reply::kWhole && IsDefinite(reply.status);
    Json line = {
        {"at", NowMs()},
        {"provider", "replicate"},
        {"id", accepted ? Json(prediction.id) : Json(nullptr)},
        {"path", request.path},
        {"input", prediction.input},
        {"answer", answer},
        {"accepted", accepted},
        {"definitelyRejected", definite},
        {"headers",
         {{"idempotency-key", request.Header("idempotency-key")}, {"prefer", request.Header("prefer")}}}};
    if (!journal->Append(line)) reply.cut = Reply::kDropped;
    return reply;
  }
  Reply Reject(Reply reply) const {
    const std::string answer = fmt::format("{}", reply.status);
    return Record(std::move(reply), answer, false);
  }
};

Reply Replicate::Handle(const Request& request) {
  if (request.path.starts_with("/simulator/")) return HandleOwn(request);
  if (request.path.starts_with("/files/")) return File(request.path);
  return HandleApi(request, request.path.starts_with("/v1/") ? request.path.substr(3) : request.path);
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
  if (request.method == "GET" && StartsAndEnds(path, "/predictions/", "", &id)) return Get(id);
  return Answer(404, {{"detail", "The requested resource could not be found."}, {"status", 404}});
}

Reply Replicate::HandleOwn(const Request& request) {
  if (request.method == "GET" && request.path == "/simulator/journal") {
    return {.content_type = "application/x-ndjson", .body = journal_->Text()};
  }
  StatusOr<Json> json = ParseJson(request.body, "the request");
  if (request.method == "POST" && request.path == "/simulator/next" && json.ok() && json->is_object() &&
      json->contains("fault")) {
    faults_.Queue((*json)["fault"], IntOf(*json, "times", 1));
    return Answer(200, {{"ok", true}});
  }
  return Problem(
      404, "Not found",
      "The simulator has GET /simulator/journal and POST /simulator/next {\"fault\": {…}, \"times\": n}.");
}

Reply Replicate::Create(const Request& request, const std::string& path) {
  Paid paid{request, {}, journal_};
  StatusOr<Json> body = ParseJson(request.body, "the request", {.max_bytes = 64 << 20});
  if (body.ok() && body->is_object() && body->contains("input")) paid.prediction.input = (*body)["input"];
  if (std::optional<Reply> refused = CheckKey(request)) return paid.Reject(*refused);
  if (!body.ok() || !body->is_object())
    return paid.Reject(Problem(400, "Bad request", "The body is not a JSON object."));
  if (!paid.prediction.input.is_object())
    return paid.Reject(Problem(422, "Input validation failed", "input: is required"));

  std::string name;
  paid.prediction.version = TextOf(*body, "version");
  if (path == "/predictions") {
    if (paid.prediction.version.empty())
      return paid.Reject(Problem(422, "Input validation failed", "version: is required"));
  } else if (StartsAndEnds(path, "/models/", "/predictions", &name)) {
    paid.prediction.model = name;
  } else if (StartsAndEnds(path, "/deployments/", "/predictions", &name)) {
    paid.prediction.deployment = name;
  }
  if (paid.prediction.model.ends_with("/missing"))
    return paid.Reject(Problem(404, "Not found", "The requested resource could not be found."));
  auto prompt = paid.prediction.input.find("prompt");
  if (prompt != paid.prediction.input.end() && !prompt->is_string()) {
    return paid.Reject(
        Problem(422, "Input validation failed", "- input.prompt: Invalid type. Expected: string"));
  }
  return Accept(&paid, faults_.Take(paid.prediction.input));
}

Reply Replicate::Accept(Paid* paid, const Json& fault) {
  const int64_t delay_ms = IntOf(fault, "delayMs", 0);
  if (TextOf(fault, "drop") == "before-accept") {
    return paid->Record({.cut = Reply::kDropped, .delay_ms = delay_ms}, "drop", false);
  }
  const bool error = fault.contains("status");
  if (error && !IsTrue(fault, "accept")) {
    Reply reply = ErrorReply(fault);
    reply.delay_ms = delay_ms;
    return paid->Reject(std::move(reply));
  }
  paid->prediction.fault = fault;
  paid->prediction.created_ms = NowMs();
  paid->prediction = predictions_->Add(paid->prediction);
  Reply reply =
      error ? ErrorReply(fault) : Answer(201, ToJson(paid->prediction, NowMs(), origin_ + "/v1", origin_));
  reply.delay_ms = delay_ms;
  std::string answer = fmt::format("{}", reply.status);
  if (!TextOf(fault, "drop").empty()) {
    reply.cut = Reply::kDropped;
    answer = "drop";
  } else if (fault.contains("truncate") || fault.contains("truncateChunked")) {
    reply.cut = fault.contains("truncate") ? Reply::kTruncated : Reply::kChunkedCut;
    reply.cut_at =
        static_cast<size_t>(IntOf(fault, fault.contains("truncate") ? "truncate" : "truncateChunked",
                                  static_cast<int64_t>(reply.body.size() / 2)));
    reply.cut_at = std::min(reply.cut_at, reply.body.size() - 1);
    answer = "truncated";
  }
  return paid->Record(std::move(reply), answer, true);
}

Reply Replicate::Get(const std::string& id) {
  std::optional<Prediction> prediction = predictions_->Find(id);
  if (!prediction)
    return Answer(404, {{"detail", "The requested resource could not be found."}, {"status", 404}});
  const int64_t poll_status = IntOf(prediction->fault, "pollStatus", 0);
  if (poll_status > 0 && predictions_->FirstTimes("poll " + id, IntOf(prediction->fault, "pollTimes", 1))) {
    return Problem(static_cast<int>(poll_status), "Simulated", "Simulated failure of a poll.");
  }
  return Answer(200, ToJson(*prediction, NowMs(), origin_ + "/v1", origin_));
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
  for (const Prediction& prediction : predictions_->List(*after_ms, *before_ms, cursor, kPageSize, &next)) {
    results.push_back(ToJson(prediction, NowMs(), origin_ + "/v1", origin_));
  }
  Json page = {{"previous", nullptr}, {"next", nullptr}, {"results", std::move(results)}};
  if (next > 0) {
    page["next"] = fmt::format("{}/v1/predictions?cursor={}", origin_, next);
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
  std::optional<Prediction> prediction = predictions_->Cancel(id, NowMs());
  if (!prediction)
    return Answer(404, {{"detail", "The requested resource could not be found."}, {"status", 404}});
  return Answer(200, ToJson(*prediction, NowMs(), origin_ + "/v1", origin_));
}

// "/files/<id>/<n>.png"
Reply Replicate::File(const std::string& path) {
  std::string middle;
  const Reply missing = Problem(404, "Not found", "There is no such file.");
  if (!StartsAndEnds(path, "/files/", ".png", &middle)) return missing;
  const size_t slash = middle.find('/');
  std::optional<Prediction> prediction = predictions_->Find(middle.substr(0, slash));
  int64_t n = -1;
  if (slash != std::string::npos)
    std::from_chars(middle.data() + slash + 1, middle.data() + middle.size(), n);
  if (!prediction || n < 0 || n >= OutputCount(prediction->input) || !HasSucceeded(*prediction, NowMs()))
    return missing;

  const Json& fault = prediction->fault;
  const bool faulty = predictions_->FirstTimes("file " + middle, IntOf(fault, "outputTimes", INT64_MAX));
  if (faulty && fault.contains("outputStatus"))
    return Problem(static_cast<int>(IntOf(fault, "outputStatus", 404)), "Simulated",
                   "Simulated failure of a download.");
  if (faulty && fault.contains("outputRedirect"))
    return {.status = 302, .headers = {{"Location", TextOf(fault, "outputRedirect")}}};
  StatusOr<BufferRef> png = pictures_.Png(*prediction, n);
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
