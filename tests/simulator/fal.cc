#include "simulator/fal.h"

#include <utility>

#include "fmt/format.h"
#include "simulator/fal_error.h"

namespace mediagen::simulator {
namespace {

using fal::Detail;
using fal::IsUnbilled;
using fal::ModelError;
using fal::PlatformError;

constexpr const char* kPublicKey = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg";

std::optional<Reply> CheckKey(const Request& request) {
  const std::string key = request.Header("authorization");
  if (!key.starts_with("Key ") || key == "Key bad" || key == "Key ")
    return Detail(401, "Cannot access application. Authentication is required.");
  if (key == "Key broke") return Detail(402, "The balance is exhausted.");
  return std::nullopt;
}

// "owner/app" of "owner/app/path"; "" when it is no model.
std::string AppOf(const std::string& model) {
  size_t end = model.starts_with("workflows/") || model.starts_with("comfy/") ? model.find('/') + 1 : 0;
  end = model.find('/', end);
  if (end == std::string::npos || end + 1 >= model.size()) return "";
  return model.substr(0, model.find('/', end + 1));
}

// What the pictures are drawn by.
Json Normalised(const Json& body) {
  Json input = {{"prompt", TextOf(body, "prompt")}, {"num_outputs", IntOf(body, "num_images", 1)}};
  if (body.contains("seed")) input["seed"] = body["seed"];
  if (body.contains("aspect_ratio")) input["aspect_ratio"] = body["aspect_ratio"];
  auto size = body.find("image_size");
  if (size != body.end() && size->is_object()) {
    input["width"] = IntOf(*size, "width", 512);
    input["height"] = IntOf(*size, "height", 512);
  } else if (size != body.end() && size->is_string()) {
    const std::string name = size->get<std::string>();
    input["aspect_ratio"] = name.ends_with("16_9") ? "16:9" : name.ends_with("4_3") ? "4:3" : "1:1";
    if (name.starts_with("portrait")) input["aspect_ratio"] = name.ends_with("16_9") ? "9:16" : "3:4";
  }
  return input;
}

Json LogsOf(const std::string& text) {
  Json logs = Json::array();
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    logs.push_back({{"timestamp", "2026-01-01T00:00:00Z"},
                    {"level", "INFO"},
                    {"source", "USER"},
                    {"message", text.substr(at, end - at)}});
  }
  return logs;
}

}  // namespace

// "owner/app[/path]", or "owner/app/requests/<id>[/status|/cancel]".
Reply FalWire::Handle(const Request& request, const std::string& path) {
  const size_t at = path.find("/requests/");
  if (at == std::string::npos && request.method == "POST") return Submit(request, path);
  if (std::optional<Reply> refused = CheckKey(request)) return *refused;
  if (at == std::string::npos) return Detail(404, "Not found");
  std::string id = path.substr(at + 10), what;
  if (const size_t slash = id.find('/'); slash != std::string::npos) {
    what = id.substr(slash);
    id.resize(slash);
  }
  std::optional<Prediction> prediction = shared_->predictions.Find(id);
  // Requests live under the app: a URL with the model's path in it names nothing.
  if (!prediction || prediction->model != path.substr(0, at)) {
    return what == "/cancel" ? Answer(404, {{"status", "NOT_FOUND"}}) : Detail(404, "Request not found");
  }
  if (request.method == "GET" && what == "/status") return Status(request, *prediction);
  if (request.method == "GET" && what.empty()) return Result(*prediction);
  if (request.method == "PUT" && what == "/cancel") return Cancel(*prediction);
  return Detail(405, "Method Not Allowed");
}

Reply FalWire::Submit(const Request& request, const std::string& path) {
  Paid paid(shared_->journal, "fal", request);
  StatusOr<Json> body = ParseJson(request.body, "the request", {.max_bytes = 64 << 20});
  if (body.ok()) paid.input = *body;
  if (std::optional<Reply> refused = CheckKey(request)) return paid.Reject(*refused);
  if (!body.ok() || !body->is_object()) return paid.Reject(Detail(400, "The body is not a JSON object."));
  const std::string app = AppOf(path);
  if (app.empty() || app.ends_with("/missing"))
    return paid.Reject(Detail(404, fmt::format("Application '{}' not found", path)));
  return Accept(&paid, app, shared_->faults.Take(paid.input));
}

Reply FalWire::Accept(Paid* paid, const std::string& app, const Json& fault) {
  paid->unbilled = IsUnbilled(fault);
  return paid->Answer(fault, PlatformError, [&] {
    Prediction prediction;
    prediction.model = app;
    prediction.input = Normalised(paid->input);
    prediction.fault = fault;
    prediction.webhook = paid->request.Parameter("fal_webhook");
    prediction.created_ms = NowMs();
    prediction = shared_->predictions.Add(prediction);
    paid->id = prediction.id;
    shared_->webhooks.Expect("fal", prediction, [id = prediction.id] {
      return Dump({{"request_id", id},
                   {"gateway_request_id", id},
                   {"status", "OK"},
                   {"error", nullptr},
                   {"payload", Json::object()}});
    });
    Json answer = UrlsOf(prediction);
    if (!IsTrue(fault, "nullFields")) {  // older deployments tell neither
      answer["status"] = "IN_QUEUE";
      answer["queue_position"] = 0;
      answer["gateway_request_id"] = prediction.id;
    }
    return Answer(200, answer);
  });
}

Json FalWire::UrlsOf(const Prediction& prediction) const {
  const std::string origin = TextOf(prediction.fault, "foreignUrls", shared_->origin + "/fal");
  const std::string own = fmt::format("{}/{}/requests/{}", origin, prediction.model, prediction.id);
  return {{"request_id", prediction.id},
          {"response_url", own},
          {"status_url", own + "/status"},
          {"cancel_url", own + "/cancel"}};
}

// Of Replicate's document of the same work: its state, and what it logs.
Json FalWire::StateOf(const Prediction& prediction) const {
  const Json work = ToJson(prediction, NowMs(), "", shared_->origin);
  const Json& fault = prediction.fault;
  const std::string state = TextOf(work, "status");
  Json status = UrlsOf(prediction);
  status["status"] = "COMPLETED";
  status["logs"] = LogsOf(TextOf(work, "logs"));
  if (state == "starting") {
    status["status"] = "IN_QUEUE";
    status["queue_position"] = 1;
  } else if (state == "processing") {
    status["status"] = "IN_PROGRESS";
  } else if (state == "warming-up") {
    status["status"] = "WARMING_UP";
  } else if (state == "canceled") {
    status["error"] = "Request was cancelled";
    status["error_type"] = "client_cancelled";
  } else if (state == "aborted") {
    status["error"] = "Request timed out";
    status["error_type"] = "startup_timeout";
  } else if (state == "failed" && fault.contains("errorType")) {
    status["error"] = TextOf(fault, "fail");
    status["error_type"] = TextOf(fault, "errorType");
  } else {
    status["metrics"] = {{"inference_time", 2.1}};
  }
  return status;
}

Reply FalWire::Status(const Request& request, const Prediction& prediction) {
  const int64_t poll_status = IntOf(prediction.fault, "pollStatus", 0);
  if (poll_status > 0 &&
      shared_->predictions.FirstTimes("poll " + prediction.id, IntOf(prediction.fault, "pollTimes", 1))) {
    return Detail(static_cast<int>(poll_status), "Simulated failure of a poll.");
  }
  Json status = StateOf(prediction);
  if (request.Parameter("logs") != "1" || IsTrue(prediction.fault, "nullFields")) status["logs"] = nullptr;
  return Answer(TextOf(status, "status") == "COMPLETED" ? 200 : 202, status);
}

Reply FalWire::Result(const Prediction& prediction) {
  const Json& fault = prediction.fault;
  const Json status = StateOf(prediction);
  if (TextOf(status, "status") != "COMPLETED" ||
      shared_->predictions.FirstTimes("early " + prediction.id, IntOf(fault, "resultEarly", 0)))
    return Detail(500, "Request is still in progress");
  if (fault.contains("resultStatus") &&
      shared_->predictions.FirstTimes("result " + prediction.id, IntOf(fault, "resultTimes", 1)))
    return Detail(static_cast<int>(IntOf(fault, "resultStatus", 503)), "Simulated failure of a result.");
  if (!TextOf(status, "error").empty())
    return Answer(500, {{"detail", status["error"]}, {"error_type", status["error_type"]}});
  if (!TextOf(fault, "fail").empty())
    return Answer(static_cast<int>(IntOf(fault, "failStatus", 422)), ModelError(fault));

  Json files = Json::array(), flags = Json::array();
  for (int64_t n = 0; n < OutputCount(prediction.input); ++n) {
    files.push_back({{"url", fmt::format("{}/files/{}/{}.png", shared_->origin, prediction.id, n)},
                     {"content_type", "image/png"},
                     {"file_name", nullptr},
                     {"file_size", nullptr}});
    flags.push_back(IsTrue(fault, "nsfw"));
  }
  const std::string shape = TextOf(fault, "output", "images");
  Json result = {{"prompt", TextOf(prediction.input, "prompt")}, {"timings", {{"inference", 2.1}}}};
  if (prediction.input.contains("seed")) result["seed"] = prediction.input["seed"];
  if (shape == "image" || shape == "video") {
    result[shape] = files[0];
  } else if (shape != "none") {
    result["images"] = files;
    result["has_nsfw_concepts"] = fault.contains("nsfw") && fault["nsfw"].is_array() ? fault["nsfw"] : flags;
  }
  return Answer(200, result);
}

Reply FalWire::Cancel(const Prediction& prediction) {
  if (TextOf(StateOf(prediction), "status") == "COMPLETED")
    return Answer(400, {{"status", "ALREADY_COMPLETED"}});
  if (!IsTrue(prediction.fault, "cancelIgnored")) shared_->predictions.Cancel(prediction.id, NowMs());
  return Answer(202, {{"status", "CANCELLATION_REQUESTED"}});
}

Reply FalKeys::Handle(const Request& request, const std::string&) {
  if (!request.Header("authorization").empty()) return Detail(400, "Keep your key.");
  return Answer(200, {{"keys", {{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", kPublicKey}}}}});
}

}  // namespace mediagen::simulator
