#include "simulator/openai.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/base64.h"
#include "base/text.h"
#include "fmt/format.h"
#include "simulator/form.h"
#include "simulator/openai_answer.h"

namespace mediagen::simulator {
namespace {

using openai::CheckKey;
using openai::ErrorReply;
using openai::Problem;

constexpr JsonLimits kRequestLimits{.max_bytes = 64 << 20};
constexpr size_t kDefaultDimensions = 64;
constexpr size_t kMaxDimensions = 4096;

Reply Missing() { return Problem(404, "not_found", "There is no such thing."); }

// What OpenAI refuses of a request for pictures.
std::optional<Reply> CheckPictures(const Json& body, bool edit) {
  const std::string model = TextOf(body, "model");
  if (model == "missing") return Problem(404, "model_not_found", "The model does not exist.");
  if (TextOf(body, "prompt").empty())
    return Problem(400, "missing_required_parameter", "A prompt is required.");
  if (model.starts_with("gpt-image") && body.contains("response_format"))
    return Problem(400, "unknown_parameter", "Unknown parameter: 'response_format'.");
  if (edit && !body.contains("image") && !body.contains("image[]"))
    return Problem(400, "missing_required_parameter", "A picture is required.");
  return std::nullopt;
}

std::string Base64Of(const std::vector<float>& vector) {
  std::string bytes(vector.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), vector.data(), bytes.size());
  return Base64Encode(bytes);
}

int64_t CountOf(const Prediction& prediction) { return IntOf(prediction.input, "num_outputs", 1); }

}  // namespace

Reply OpenAi::Handle(const Request& request, const std::string& path) {
  const bool post = request.method == "POST", get = request.method == "GET";
  std::string id;
  if (post && path == "/images/generations") return MakePictures(request, false);
  if (post && path == "/images/edits") return MakePictures(request, true);
  if (post && path == "/videos") return MakeVideo(request);
  if (get && path.starts_with("/files/")) return File(path);
  if (std::optional<Reply> refused = CheckKey(request)) return *refused;
  if (post && path == "/embeddings") return Embed(request);
  if (get && StartsAndEnds(path, "/videos/video_", "/content", &id)) return VideoContent(id);
  if (get && StartsAndEnds(path, "/videos/video_", "", &id)) return GetVideo(id);
  if (request.method == "DELETE" && StartsAndEnds(path, "/videos/video_", "", &id)) return DeleteVideo(id);
  return Missing();
}

Reply OpenAi::MakePictures(const Request& request, bool edit) {
  Paid paid(shared_->journal, "openai", request);
  StatusOr<Json> json = edit ? StatusOr<Json>(ReadForm(request).value_or(Json()))
                             : ParseJson(request.body, "the request", kRequestLimits);
  const Json body = json.ok() ? *json : Json();
  paid.input = body;
  if (std::optional<Reply> refused = CheckKey(request)) return paid.Reject(*refused);
  if (!body.is_object()) return paid.Reject(Problem(400, "invalid_body", "The body cannot be read."));
  if (std::optional<Reply> refused = CheckPictures(body, edit)) return paid.Reject(*refused);
  const Json fault = shared_->faults.Take(body);
  return paid.Answer(fault, ErrorReply, [&] {
    Prediction prediction{
        .model = TextOf(body, "model"), .input = openai::NormalisedInput(body), .fault = fault};
    prediction.created_ms = NowMs();
    prediction = shared_->predictions.Add(prediction);
    paid.id = prediction.id;
    return Pictures(prediction, body);
  });
}

Reply OpenAi::Pictures(const Prediction& prediction, const Json& body) {
  const Json& fault = prediction.fault;
  const bool by_url = TextOf(body, "response_format") == "url";
  const std::string shape = TextOf(fault, "output", by_url ? "url" : "base64");
  if (shape == "error") return Answer(200, Json::parse(ErrorReply(fault).body));
  Json answer = {{"data", Json::array()}};
  for (int64_t n = 0; n < CountOf(prediction) && shape != "none"; ++n) {
    if (shape == "url") {
      answer["data"].push_back(
          {{"url", fmt::format("{}/openai/v1/files/{}/{}.png", shared_->origin, prediction.id, n)}});
      continue;
    }
    StatusOr<BufferRef> png = shared_->pictures.Png(prediction, n);
    if (!png.ok()) return Problem(500, "drawing_failed", InfoOf(png.status()).message, "server_error");
    const auto pad = static_cast<size_t>(std::clamp<int64_t>(IntOf(fault, "padBytes", 0), 0, 64 << 20));
    answer["data"].push_back(
        {{"b64_json", Base64Encode(std::string((*png)->view()) + std::string(pad, '\0'))}});
  }
  if (shape == "sse") {
    Json event = answer["data"][0];
    event["type"] = "image_generation.completed";
    return {
        .content_type = "text/event-stream",
        .body = fmt::format("event: image_generation.completed\ndata: {}\n\ndata: [DONE]\n\n", Dump(event))};
  }
  if (IsTrue(fault, "nullFields")) return Answer(200, answer);
  answer["created"] = prediction.created_ms / 1000;
  answer["output_format"] = "png";
  answer["usage"] = {{"input_tokens", 50}, {"output_tokens", 4160}, {"total_tokens", 4210}};
  return Answer(200, answer);
}

// "/files/<id>/<n>.png"
Reply OpenAi::File(const std::string& path) {
  std::string middle;
  if (!StartsAndEnds(path, "/files/", ".png", &middle)) return Missing();
  const size_t slash = middle.find('/');
  std::optional<Prediction> prediction = shared_->predictions.Find(middle.substr(0, slash));
  int64_t n = -1;
  if (slash != std::string::npos)
    std::from_chars(middle.data() + slash + 1, middle.data() + middle.size(), n);
  if (!prediction || n < 0 || n >= CountOf(*prediction)) return Missing();
  const Json& fault = prediction->fault;
  if (shared_->predictions.FirstTimes("file " + middle, IntOf(fault, "outputTimes", INT64_MAX))) {
    if (fault.contains("outputStatus"))
      return Problem(static_cast<int>(IntOf(fault, "outputStatus", 404)), "expired",
                     "Simulated failure of a download.");
    if (fault.contains("outputRedirect"))
      return {.status = 302, .headers = {{"Location", TextOf(fault, "outputRedirect")}}};
  }
  StatusOr<BufferRef> png = shared_->pictures.Png(*prediction, n);
  if (!png.ok()) return Problem(500, "drawing_failed", InfoOf(png.status()).message, "server_error");
  return {.content_type = "image/png", .body = std::string((*png)->view())};
}

Reply OpenAi::MakeVideo(const Request& request) {
  Paid paid(shared_->journal, "openai", request);
  const std::optional<Json> body = ReadForm(request);
  if (body) paid.input = *body;
  if (std::optional<Reply> refused = CheckKey(request)) return paid.Reject(*refused);
  if (!body) return paid.Reject(Problem(400, "invalid_body", "The body is no form."));
  if (TextOf(*body, "prompt").empty())
    return paid.Reject(Problem(400, "missing_required_parameter", "A prompt is required."));
  const Json fault = shared_->faults.Take(*body);
  return paid.Answer(fault, ErrorReply, [&] {
    Prediction prediction{
        .model = TextOf(*body, "model"), .input = openai::NormalisedInput(*body), .fault = fault};
    prediction.created_ms = NowMs();
    prediction = shared_->predictions.Add(prediction);
    paid.id = "video_" + prediction.id;
    shared_->webhooks.Expect("openai", prediction, [id = paid.id] {
      return Dump(
          {{"id", "evt_" + id}, {"object", "event"}, {"type", "video.completed"}, {"data", {{"id", id}}}});
    });
    return Answer(200, openai::VideoDocument(prediction, NowMs()));
  });
}

Reply OpenAi::GetVideo(const std::string& id) {
  std::optional<Prediction> prediction = shared_->predictions.Find(id);
  if (!prediction || prediction->canceled_ms > 0) return Missing();
  const int64_t status = IntOf(prediction->fault, "pollStatus", 0);
  if (status > 0 && shared_->predictions.FirstTimes("poll " + id, IntOf(prediction->fault, "pollTimes", 1)))
    return Problem(static_cast<int>(status), "simulated", "Simulated failure of a poll.", "server_error");
  return Answer(200, openai::VideoDocument(*prediction, NowMs()));
}

Reply OpenAi::DeleteVideo(const std::string& id) {
  std::optional<Prediction> prediction = shared_->predictions.Cancel(id, NowMs());
  if (!prediction) return Missing();
  return Answer(200, {{"id", "video_" + id}, {"object", "video.deleted"}, {"deleted", true}});
}

Reply OpenAi::VideoContent(const std::string& id) {
  std::optional<Prediction> prediction = shared_->predictions.Find(id);
  if (!prediction || !HasSucceeded(*prediction, NowMs())) return Missing();
  if (prediction->fault.contains("outputStatus") &&
      shared_->predictions.FirstTimes("content " + id, IntOf(prediction->fault, "outputTimes", INT64_MAX)))
    return Problem(static_cast<int>(IntOf(prediction->fault, "outputStatus", 404)), "expired",
                   "Simulated failure.");
  return {.content_type = "video/mp4", .body = openai::Mp4(TextOf(prediction->input, "prompt"))};
}

// Not paid, and not in the journal: it may be repeated. Answered last text first, since the index counts.
Reply OpenAi::Embed(const Request& request) {
  StatusOr<Json> body = ParseJson(request.body, "the request", kRequestLimits);
  if (!body.ok() || !body->is_object() || !body->contains("input"))
    return Problem(400, "invalid_body", "\"input\" is required.");
  const Json texts = (*body)["input"].is_array() ? (*body)["input"] : Json::array({(*body)["input"]});
  const int64_t wanted = IntOf(*body, "dimensions", kDefaultDimensions);
  const auto dimensions = static_cast<size_t>(std::clamp<int64_t>(wanted, 1, kMaxDimensions));
  Json data = Json::array();
  uint64_t tokens = 0;
  for (size_t i = texts.size(); i-- > 0;) {
    if (!texts[i].is_string() || texts[i].get_ref<const std::string&>().empty())
      return Problem(400, "invalid_input", "Each input is a text.");
    const std::vector<float> vector = openai::Embedding(texts[i].get<std::string>(), dimensions);
    tokens += texts[i].get_ref<const std::string&>().size() / 4 + 1;
    const bool base64 = TextOf(*body, "encoding_format") == "base64";
    data.push_back({{"object", "embedding"},
                    {"index", i},
                    {"embedding", base64 ? Json(Base64Of(vector)) : Json(vector)}});
  }
  return Answer(200, {{"object", "list"},
                      {"data", std::move(data)},
                      {"model", TextOf(*body, "model")},
                      {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}});
}

}  // namespace mediagen::simulator
