#include "simulator/gemini_document.h"

#include "base/base64.h"
#include "fmt/format.h"
#include "simulator/wire.h"

namespace mediagen::simulator {
namespace {

const Json& Member(const Json& json, const char* name) {
  static const Json* null = new Json();
  if (!json.is_object()) return *null;
  auto it = json.find(name);
  return it == json.end() ? *null : *it;
}

const Json& First(const Json& list) {
  static const Json* null = new Json();
  return list.is_array() && !list.empty() ? list[0] : *null;
}

// What there is of text in a list of parts.
std::string TextIn(const Json& parts) {
  if (parts.is_string()) return parts.get<std::string>();
  std::string text;
  if (!parts.is_array()) return text;
  for (const Json& part : parts) text += TextOf(part, "text");
  return text;
}

Json InputOf(std::string prompt, const std::string& aspect_ratio, const Json& seed, const char* kind) {
  Json input = {{"prompt", std::move(prompt)}, {"num_outputs", 1}, {"kind", kind}};
  if (!aspect_ratio.empty()) input["aspect_ratio"] = aspect_ratio;
  if (seed.is_number_integer()) input["seed"] = seed;
  return input;
}

std::string StateOf(const Prediction& prediction) {
  return TextOf(ToJson(prediction, NowMs(), "", ""), "status");
}

bool IsOver(const std::string& state) {
  return state != "starting" && state != "processing" && state != "warming-up";
}

}  // namespace

Json GenerateInput(const Json& body) {
  const Json& config = Member(body, "generationConfig");
  return InputOf(TextIn(Member(First(Member(body, "contents")), "parts")),
                 TextOf(Member(config, "imageConfig"), "aspectRatio"), Member(config, "seed"), "image");
}

Json PredictInput(const Json& body) {
  return InputOf(TextOf(First(Member(body, "instances")), "prompt"),
                 TextOf(Member(body, "parameters"), "aspectRatio"), Json(), "video");
}

Json InteractionInput(const Json& body) {
  const Json& format = Member(body, "response_format");
  return InputOf(TextIn(Member(body, "input")), TextOf(format, "aspect_ratio"), Json(),
                 TextOf(format, "type") == "image" ? "image" : "video");
}

bool MakesPicture(const Prediction& prediction) {
  const Json& fault = prediction.fault;
  const std::string shape = TextOf(fault, "output");
  return !fault.contains("block") && !fault.contains("finish") && shape != "none" && shape != "text";
}

Json GeneratedJson(const Prediction& prediction, std::string_view png) {
  const Json& fault = prediction.fault;
  Json answer = {{"modelVersion", prediction.model},
                 {"responseId", prediction.id},
                 {"usageMetadata", {{"promptTokenCount", 15}, {"totalTokenCount", 15}}}};
  if (!TextOf(fault, "block").empty()) {
    answer["promptFeedback"] = {{"blockReason", TextOf(fault, "block")}};
    return answer;
  }
  Json candidate = {{"index", 0}, {"finishReason", TextOf(fault, "finish", "STOP")}};
  Json parts = Json::array({{{"text", "Here is a picture."}}});
  if (fault.contains("finish") || TextOf(fault, "output") == "none") {
    answer["candidates"] = Json::array({candidate});
    return answer;
  }
  if (MakesPicture(prediction)) {
    parts.push_back({{"inlineData", {{"mimeType", "image/png"}, {"data", Base64Encode(png)}}}});
    answer["usageMetadata"] = {
        {"promptTokenCount", 15}, {"candidatesTokenCount", 1290}, {"totalTokenCount", 1305}};
  }
  candidate["content"] = {{"role", "model"}, {"parts", std::move(parts)}};
  answer["candidates"] = Json::array({candidate});
  return answer;
}

Json OperationJson(const Prediction& prediction, const std::string& file_url) {
  Json operation = {{"name", fmt::format("models/{}/operations/{}", prediction.model, prediction.id)}};
  const std::string state = StateOf(prediction);
  if (!IsOver(state)) return operation;
  operation["done"] = true;
  if (state == "failed") {
    operation["error"] = {{"code", 13}, {"message", TextOf(prediction.fault, "fail")}};
    return operation;
  }
  Json response = {{"generatedSamples", Json::array({{{"video", {{"uri", file_url}}}}})}};
  const std::string filtered = TextOf(prediction.fault, "filtered");
  if (!filtered.empty())
    response = {{"raiMediaFilteredCount", 1}, {"raiMediaFilteredReasons", Json::array({filtered})}};
  if (TextOf(prediction.fault, "output") == "none") response = Json::object();
  operation["response"] = {{"generateVideoResponse", std::move(response)}};
  return operation;
}

Json InteractionJson(const Prediction& prediction, const std::string& file_url) {
  const std::string state = StateOf(prediction);
  Json interaction = {{"id", prediction.id}, {"status", "in_progress"}, {"model", prediction.model}};
  if (state == "starting") interaction["status"] = "queued";
  if (state == "warming-up") interaction["status"] = "warming_up";
  if (!IsOver(state)) return interaction;
  interaction["usage"] = {{"total_input_tokens", 7}, {"total_output_tokens", 19}, {"total_tokens", 26}};
  if (state == "canceled") interaction["status"] = "cancelled";
  if (state == "failed") {
    interaction["status"] = "failed";
    interaction["error"] = {{"code", "INTERNAL"}, {"message", TextOf(prediction.fault, "fail")}};
  }
  if (state != "succeeded") return interaction;
  interaction["status"] = TextOf(prediction.fault, "endState", "completed");
  if (interaction["status"] != "completed" || TextOf(prediction.fault, "output") == "none")
    return interaction;
  const std::string kind = TextOf(prediction.input, "kind");
  Json content = {
      {"type", kind}, {"mime_type", kind == "image" ? "image/png" : "video/mp4"}, {"uri", file_url}};
  interaction["steps"] =
      Json::array({{{"type", "user_input"}, {"content", TextOf(prediction.input, "prompt")}},
                   {{"type", "model_output"}, {"content", Json::array({std::move(content)})}}});
  return interaction;
}

std::string VideoOf(const Prediction& prediction) {
  using namespace std::string_literals;  // NOLINT(google-build-using-namespace)
  const std::string head = "\0\0\0\x18"s + "ftypisom\0\0\2\0isommp41"s;
  const std::string text = TextOf(prediction.input, "prompt");
  const size_t size = text.size() + 8;
  std::string box;
  for (int shift = 24; shift >= 0; shift -= 8) box.push_back(static_cast<char>((size >> shift) & 0xff));
  return head + box + "mdat" + text;
}

}  // namespace mediagen::simulator
