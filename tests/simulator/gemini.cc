#include "simulator/gemini.h"

#include "base/clock.h"
#include "fmt/format.h"
#include "simulator/gemini_document.h"

namespace mediagen::simulator {
namespace {

constexpr std::string_view kPrefix = "/gemini/v1beta";

Reply Refuse(int status, const std::string& word, const std::string& message, Json details = Json::array()) {
  Json error = {{"code", status}, {"message", message}, {"status", word}};
  if (!details.empty()) error["details"] = std::move(details);
  return Answer(status, {{"error", std::move(error)}});
}

Reply NotFound() { return Refuse(404, "NOT_FOUND", "Requested entity was not found."); }

std::optional<Reply> CheckKey(const Request& request) {
  const std::string key = request.Header("x-goog-api-key");
  if (key.empty() || key == "bad")
    return Refuse(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
  if (key == "broke") return Refuse(402, "FAILED_PRECONDITION", "Billing is not enabled for this project.");
  return std::nullopt;
}

Reply ErrorReply(const Json& fault) {
  const int status = static_cast<int>(IntOf(fault, "status", 500));
  const int64_t seconds = IntOf(fault, "retryAfter", -1);
  const std::string as = TextOf(fault, "retryAs", "info");
  if (IsTrue(fault, "html")) {
    return {.status = status,
            .content_type = "text/html",
            .body = fmt::format("<html><h1>{} Bad Gateway</h1><hr>nginx</html>", status)};
  }
  Json details = Json::array();
  if (status == 429) {
    const char* quota = IsTrue(fault, "daily") ? "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
                                               : "GenerateRequestsPerMinutePerProjectPerModel";
    details.push_back({{"@type", "type.googleapis.com/google.rpc.QuotaFailure"},
                       {"violations", Json::array({{{"quotaId", quota}}})}});
  }
  if (seconds >= 0 && as == "info") {
    details.push_back({{"@type", "type.googleapis.com/google.rpc.RetryInfo"},
                       {"retryDelay", fmt::format("{}.25s", seconds)}});
  }
  const char* word = status == 429 ? "RESOURCE_EXHAUSTED" : status == 503 ? "UNAVAILABLE" : "INTERNAL";
  Reply reply = Refuse(status, status < 500 && status != 429 ? "INVALID_ARGUMENT" : word,
                       "Simulated failure.", details);
  if (seconds >= 0 && as == "header") reply.headers.emplace_back("Retry-After", fmt::format("{}", seconds));
  return reply;
}

}  // namespace

Reply GeminiWire::Handle(const Request& request, const std::string& path) {
  const bool post = request.method == "POST", get = request.method == "GET";
  std::string name;
  if (post && StartsAndEnds(path, "/models/", ":generateContent", &name)) return Generate(request, name);
  if (post && StartsAndEnds(path, "/models/", ":predictLongRunning", &name)) return Predict(request, name);
  if (post && path == "/interactions") return Interact(request);
  if (std::optional<Reply> refused = CheckKey(request)) return *refused;
  if (post && StartsAndEnds(path, "/interactions/", "/cancel", &name)) return Cancel(name);
  if (get && StartsAndEnds(path, "/interactions/", "", &name))
    return Poll(name, [this](const Prediction& prediction) {
      return InteractionJson(prediction, FileUrl(prediction));
    });
  const size_t operation = path.find("/operations/");
  if (get && path.starts_with("/models/") && operation != std::string::npos)
    return Poll(path.substr(operation + 12), [this](const Prediction& prediction) {
      return OperationJson(prediction, FileUrl(prediction));
    });
  if (get && StartsAndEnds(path, "/files/", ":download", &name) && request.Parameter("alt") == "media")
    return File(name);
  return NotFound();
}

Reply GeminiWire::Pay(const Request& request, const std::string& model,
                      const std::function<Json(const Json&)>& read,
                      const std::function<Reply(const Prediction&)>& answer) {
  Paid paid(shared_->journal, "gemini", request);
  StatusOr<Json> body = ParseJson(request.body, "the request", {.max_bytes = 128 << 20});
  if (body.ok()) paid.input = *body;
  if (std::optional<Reply> refused = CheckKey(request)) return paid.Reject(*refused);
  if (!body.ok() || !body->is_object())
    return paid.Reject(Refuse(400, "INVALID_ARGUMENT", "Invalid JSON payload received."));
  if (model.ends_with("missing")) return paid.Reject(NotFound());
  Prediction prediction;
  prediction.model = model;
  prediction.input = read(*body);
  if (TextOf(prediction.input, "prompt").empty())
    return paid.Reject(Refuse(400, "INVALID_ARGUMENT", "The prompt is missing."));
  const Json fault = shared_->faults.Take(*body);
  return paid.Answer(fault, ErrorReply, [&] {
    prediction.fault = fault;
    prediction.created_ms = NowMs();
    prediction = shared_->predictions.Add(prediction);
    paid.id = prediction.id;
    return answer(prediction);
  });
}

Reply GeminiWire::Generate(const Request& request, const std::string& model) {
  return Pay(request, model, GenerateInput, [this](const Prediction& prediction) {
    if (!MakesPicture(prediction)) return Answer(200, GeneratedJson(prediction, ""));
    StatusOr<BufferRef> png = shared_->pictures.Png(prediction, 0);
    if (!png.ok()) return Refuse(500, "INTERNAL", InfoOf(png.status()).message);
    return Answer(200, GeneratedJson(prediction, png->view()));
  });
}

void GeminiWire::Tell(const Prediction& prediction, const std::string& name) {
  shared_->webhooks.Expect("gemini", prediction, [name] {
    return Dump({{"type", "video.generated"},
                 {"version", "v1"},
                 {"timestamp", FormatTime(NowMs())},
                 {"data", {{"id", name}}}});
  });
}

Reply GeminiWire::Predict(const Request& request, const std::string& model) {
  return Pay(request, model, PredictInput, [this](const Prediction& prediction) {
    const std::string name = fmt::format("models/{}/operations/{}", prediction.model, prediction.id);
    Tell(prediction, name);
    return Answer(200, {{"name", name}});
  });
}

Reply GeminiWire::Interact(const Request& request) {
  StatusOr<Json> body = ParseJson(request.body, "the request", {.max_bytes = 128 << 20});
  return Pay(request, body.ok() ? TextOf(*body, "model") : "", InteractionInput,
             [this](const Prediction& prediction) {
               Tell(prediction, prediction.id);
               return Answer(200, InteractionJson(prediction, FileUrl(prediction)));
             });
}

std::string GeminiWire::FileUrl(const Prediction& prediction) const {
  return fmt::format("{}{}/files/{}:download?alt=media", shared_->origin, kPrefix, prediction.id);
}

Reply GeminiWire::Poll(const std::string& id, const std::function<Json(const Prediction&)>& document) {
  std::optional<Prediction> prediction = shared_->predictions.Find(id);
  if (!prediction) return NotFound();
  const int64_t status = IntOf(prediction->fault, "pollStatus", 0);
  if (status > 0 && shared_->predictions.FirstTimes("poll " + id, IntOf(prediction->fault, "pollTimes", 1)))
    return ErrorReply({{"status", status}});
  return Answer(200, document(*prediction));
}

Reply GeminiWire::Cancel(const std::string& id) {
  std::optional<Prediction> prediction = shared_->predictions.Cancel(id, NowMs());
  return prediction ? Answer(200, InteractionJson(*prediction, FileUrl(*prediction))) : NotFound();
}

Reply GeminiWire::File(const std::string& id) {
  std::optional<Prediction> prediction = shared_->predictions.Find(id);
  if (!prediction || !HasSucceeded(*prediction, NowMs())) return NotFound();
  const Json& fault = prediction->fault;
  const bool faulty = shared_->predictions.FirstTimes("file " + id, IntOf(fault, "outputTimes", INT64_MAX));
  if (faulty && fault.contains("outputStatus"))
    return ErrorReply({{"status", IntOf(fault, "outputStatus", 404)}});
  if (faulty && fault.contains("outputRedirect"))
    return {.status = 302, .headers = {{"Location", TextOf(fault, "outputRedirect")}}};
  Reply reply{.content_type = "video/mp4"};
  if (TextOf(prediction->input, "kind") == "image") {
    StatusOr<BufferRef> png = shared_->pictures.Png(*prediction, 0);
    if (!png.ok()) return Refuse(500, "INTERNAL", InfoOf(png.status()).message);
    reply.content_type = "image/png";
    reply.body = png->view();
  } else {
    reply.body = VideoOf(*prediction);
  }
  if (faulty) reply.delay_ms = IntOf(fault, "outputDelayMs", 0);
  if (faulty && IsTrue(fault, "outputTruncate")) {
    reply.cut = Reply::kTruncated;
    reply.cut_at = reply.body.size() / 2;
  }
  return reply;
}

}  // namespace mediagen::simulator
