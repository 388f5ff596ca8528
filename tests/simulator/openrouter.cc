#include "simulator/openrouter.h"

#include "base/base64.h"
#include "fmt/format.h"
#include "simulator/openrouter_request.h"

namespace mediagen::simulator {

using openrouter::CheckKey;
using openrouter::ErrorReply;
using openrouter::Normalise;
using openrouter::Problem;
using openrouter::WrongWith;

namespace {

constexpr char kPrefix[] = "/openrouter/api/v1";
constexpr int64_t kHourMs = 3'600'000;
constexpr double kImageUsd = 0.04, kVideoUsd = 0.25;

Json Usage(double cost) {
  return {{"prompt_tokens", 0},
          {"completion_tokens", 4175},
          {"total_tokens", 4175},
          {"cost", cost},
          {"is_byok", false}};
}

std::string StateOf(const Prediction& prediction) {
  const std::string state = ToJson(prediction, NowMs(), "", "").value("status", "");
  if (state == "starting") return "pending";
  if (state == "processing") return "in_progress";
  if (state == "aborted") return "expired";
  if (state == "canceled") return "cancelled";
  return state == "succeeded" ? TextOf(prediction.fault, "end", "completed") : state;
}

// An ISO media file with nothing to see in it: a brand, and data that differ by prompt.
std::string TinyVideo(const Prediction& prediction) {
  auto box = [](const std::string& type, const std::string& body) {
    const auto size = static_cast<uint32_t>(body.size() + 8);
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift));
    return out + type + body;
  };
  return box("ftyp", std::string("isom\0\0\2\0isommp41", 16)) +
         box("mdat", prediction.id + TextOf(prediction.input, "prompt"));
}

}  // namespace

Reply OpenRouterWire::Handle(const Request& request, const std::string& path) {
  const bool post = request.method == "POST", get = request.method == "GET";
  if (post && (path == "/images" || path == "/chat/completions" || path == "/videos"))
    return Create(request, path);
  if (std::optional<Reply> refused = CheckKey(request)) return *refused;
  std::string id;
  if (get && StartsAndEnds(path, "/videos/", "/content", &id)) return Content(id);
  if (get && StartsAndEnds(path, "/videos/", "", &id)) return GetJob(id);
  return Problem(404, "Not found");
}

Reply OpenRouterWire::Create(const Request& request, const std::string& path) {
  Paid paid(shared_->journal, "openrouter", request);
  StatusOr<Json> body = ParseJson(request.body, "the request", {.max_bytes = 64 << 20});
  if (body.ok()) paid.input = *body;
  if (std::optional<Reply> refused = CheckKey(request)) return paid.Reject(*refused);
  if (!body.ok() || !body->is_object()) return paid.Reject(Problem(400, "The body is not a JSON object."));
  if (const std::string wrong = WrongWith(*body, path); !wrong.empty())
    return paid.Reject(Problem(400, wrong));
  Prediction prediction;
  prediction.model = TextOf(*body, "model");
  if (prediction.model.ends_with("/missing")) return paid.Reject(Problem(404, "No endpoints found."));
  prediction.webhook = TextOf(*body, "callback_url");
  body->erase("callback_url");  // another one by every attempt: the faults know an input by what is left
  prediction.input = Normalise(*body);
  prediction.fault = shared_->faults.Take(*body);
  return Accept(&paid, std::move(prediction),
                path == "/images"   ? &OpenRouterWire::Images
                : path == "/videos" ? &OpenRouterWire::Job
                                    : &OpenRouterWire::Chat);
}

Reply OpenRouterWire::Accept(Paid* paid, Prediction prediction, Make make) {
  return paid->Answer(prediction.fault, ErrorReply, [&] {
    // A synchronous answer is over when it is given.
    prediction.created_ms = NowMs() - (make == &OpenRouterWire::Job ? 0 : kHourMs);
    prediction = shared_->predictions.Add(prediction);
    paid->id = prediction.id;
    shared_->webhooks.Expect("openrouter", prediction, [shared = shared_, id = prediction.id] {
      return Dump({{"type", "video.generation.completed"},
                   {"data", {{"id", id}, {"status", StateOf(*shared->predictions.Find(id))}}}});
    });
    if (!prediction.fault.contains("error200")) return (this->*make)(prediction);
    Json document = {{"error", prediction.fault["error200"]}};
    if (prediction.fault.contains("cost")) document["usage"] = {{"cost", prediction.fault["cost"]}};
    return Answer(200, document);
  });
}

Reply OpenRouterWire::Images(const Prediction& prediction) {
  const int64_t asked = IntOf(prediction.input, "num_outputs", 1);
  const int64_t count = IntOf(prediction.fault, "pictures", asked);
  Json data = Json::array();
  for (int64_t n = 0; n < count; ++n) {
    if (IntOf(prediction.fault, "svg", -1) == n) {
      data.push_back({{"b64_json", Base64Encode("<svg xmlns=\"http://www.w3.org/2000/svg\"/>")},
                      {"media_type", "image/svg+xml"}});
      continue;
    }
    StatusOr<BufferRef> png = shared_->pictures.Png(prediction, n);
    if (!png.ok()) return Problem(500, InfoOf(png.status()).message);
    Json item = {{"b64_json", Base64Encode(png->view())}};
    if (!IsTrue(prediction.fault, "nullFields")) item["media_type"] = "image/png";
    data.push_back(std::move(item));
  }
  if (IsTrue(prediction.fault, "nullFields")) return Answer(200, {{"data", std::move(data)}});
  return Answer(200, {{"created", NowMs() / 1000},
                      {"data", std::move(data)},
                      {"usage", Usage(kImageUsd * static_cast<double>(asked))}});
}

Reply OpenRouterWire::Chat(const Prediction& prediction) {
  const std::string output = TextOf(prediction.fault, "output", "data");
  Json message = {{"role", "assistant"}, {"content", output == "text" ? "I can only describe it." : ""}};
  if (output == "url") {
    const std::string url = fmt::format("{}/files/{}/0.png", shared_->origin, prediction.id);
    message["images"] = Json::array({{{"type", "image_url"}, {"image_url", {{"url", url}}}}});
  } else if (output == "data") {
    StatusOr<BufferRef> png = shared_->pictures.Png(prediction, 0);
    if (!png.ok()) return Problem(500, InfoOf(png.status()).message);
    const std::string uri = "data:image/png;base64," + Base64Encode(png->view());
    message["images"] = Json::array({{{"type", "image_url"}, {"image_url", {{"url", uri}}}}});
  }
  Json choice = {{"index", 0}, {"finish_reason", "stop"}, {"message", std::move(message)}};
  return Answer(200, {{"id", "gen-" + prediction.id},
                      {"object", "chat.completion"},
                      {"choices", Json::array({std::move(choice)})},
                      {"usage", Usage(kImageUsd)}});
}

Reply OpenRouterWire::Job(const Prediction& prediction) {
  const std::string path = fmt::format("{}/videos/{}", kPrefix, prediction.id);
  const bool absolute = TextOf(prediction.fault, "pollingUrl") == "absolute";
  return Answer(202, {{"id", prediction.id},
                      {"polling_url", absolute ? shared_->origin + path : path},
                      {"status", "pending"}});
}

Reply OpenRouterWire::GetJob(const std::string& id) {
  std::optional<Prediction> prediction = shared_->predictions.Find(id);
  if (!prediction) return Problem(404, "Job not found");
  const int64_t poll_status = IntOf(prediction->fault, "pollStatus", 0);
  if (poll_status > 0 &&
      shared_->predictions.FirstTimes("poll " + id, IntOf(prediction->fault, "pollTimes", 1))) {
    return Problem(static_cast<int>(poll_status), "Simulated failure of a poll.");
  }
  const std::string state = StateOf(*prediction), path = fmt::format("{}/videos/{}", kPrefix, id);
  Json job = {{"id", id}, {"polling_url", path}, {"status", state}};
  if (state == "failed") job["error"] = TextOf(prediction->fault, "fail");
  if (state == "completed") {
    job["generation_id"] = "gen-" + id;
    job["unsigned_urls"] = {fmt::format("{}{}/content?index=0", shared_->origin, path)};
    job["usage"] = {{"cost", kVideoUsd}, {"is_byok", false}};
    if (TextOf(prediction->fault, "output") == "none") job.erase("unsigned_urls");
  }
  return Answer(200, job);
}

Reply OpenRouterWire::Content(const std::string& id) {
  std::optional<Prediction> prediction = shared_->predictions.Find(id);
  if (!prediction || StateOf(*prediction) != "completed") return Problem(404, "Content not found");
  const Json& fault = prediction->fault;
  const bool faulty =
      shared_->predictions.FirstTimes("content " + id, IntOf(fault, "outputTimes", INT64_MAX));
  if (faulty && fault.contains("outputStatus"))
    return Problem(static_cast<int>(IntOf(fault, "outputStatus", 404)), "Simulated failure of a download.");
  if (faulty && fault.contains("outputRedirect"))
    return {.status = 302, .headers = {{"Location", TextOf(fault, "outputRedirect")}}};
  Reply reply{.content_type = "video/mp4", .body = TinyVideo(*prediction)};
  if (faulty) reply.delay_ms = IntOf(fault, "outputDelayMs", 0);
  if (faulty && IsTrue(fault, "outputTruncate")) {
    reply.cut = Reply::kTruncated;
    reply.cut_at = reply.body.size() / 2;
  }
  return reply;
}

}  // namespace mediagen::simulator
