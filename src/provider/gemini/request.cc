#include "provider/gemini/request.h"

#include <algorithm>

#include "base/base64.h"
#include "fmt/format.h"

namespace mediagen::gemini {
namespace {

constexpr uint64_t kMaxRequestBytes = 100'000'000;  // documented since January 2026; 20 MB before

Status CheckReferences(const PartRequest& request) {
  uint64_t encoded = request.prompt.size();
  for (const Reference& reference : request.references) {
    if (!reference.bytes || reference.bytes.size() == 0 || reference.media_type.empty()) {
      return Error(Code::kUnsupported, "Gemini takes references as bytes with a media type, not as URLs.",
                   {.hint = "Upload the picture, and refer to the upload."});
    }
    encoded += reference.bytes.size() / 3 * 4 + 4;
  }
  if (encoded <= kMaxRequestBytes) return OkStatus();
  return Error(Code::kTooLarge, fmt::format("The references are {} bytes on the wire; Gemini takes {}.",
                                            encoded, kMaxRequestBytes));
}

Status CheckPrompt(const PartRequest& request) {
  if (!request.prompt.empty() || !request.references.empty()) return OkStatus();
  return Error(Code::kInvalid, "There is neither a prompt nor a reference to start from.");
}

bool AsksForPictures(const Json& modalities) {
  if (!modalities.is_array()) return false;
  return std::any_of(modalities.begin(), modalities.end(), [](const Json& one) { return one == "IMAGE"; });
}

StatusOr<Json> GenerateBody(const PartRequest& request) {
  Json parts = Json::array(), config = Json::object();
  if (!request.prompt.empty()) parts.push_back({{"text", request.prompt}});
  for (const Reference& reference : request.references) {
    parts.push_back({{"inlineData",
                      {{"mimeType", reference.media_type}, {"data", Base64Encode(reference.bytes.view())}}}});
  }
  if (request.seed.has_value()) config["seed"] = *request.seed;
  if (!request.aspect_ratio.empty()) config["imageConfig"] = {{"aspectRatio", request.aspect_ratio}};
  Json body = {{"contents", Json::array({{{"role", "user"}, {"parts", std::move(parts)}}})},
               {"generationConfig", std::move(config)}};
  RETURN_IF_ERROR(MergeOptions(request.options, Route::kGenerate, &body));
  // Some models want ["TEXT", "IMAGE"]: the options may say so. Without pictures it would be paid for
  // nothing.
  Json& merged = body["generationConfig"];
  auto modalities = merged.find("responseModalities");
  if (modalities == merged.end()) modalities = merged.find("response_modalities");
  if (modalities == merged.end()) {
    merged["responseModalities"] = {"IMAGE"};
  } else if (!AsksForPictures(*modalities)) {
    return Error(Code::kInvalid, "\"options\": \"responseModalities\" does not ask for \"IMAGE\".");
  }
  return body;
}

Json VeoImage(const Reference& reference) {
  return {{"bytesBase64Encoded", Base64Encode(reference.bytes.view())}, {"mimeType", reference.media_type}};
}

// "firstFrame" is the instance's image, "lastFrame" its last frame; others are things to be seen in it.
StatusOr<Json> VeoInstance(const PartRequest& request) {
  Json instance = Json::object();
  if (!request.prompt.empty()) instance["prompt"] = request.prompt;
  for (const Reference& reference : request.references) {
    if (reference.role.empty()) {
      instance["referenceImages"].push_back({{"image", VeoImage(reference)}, {"referenceType", "asset"}});
      continue;
    }
    const char* name = reference.role == "firstFrame" ? "image" : "lastFrame";
    if (instance.contains(name)) {
      return Error(Code::kInvalid, fmt::format("Two references have the role \"{}\".", reference.role));
    }
    instance[name] = VeoImage(reference);
  }
  return instance;
}

StatusOr<Json> OperationBody(const PartRequest& request) {
  ASSIGN_OR_RETURN(Json instance, VeoInstance(request));
  Json parameters = {{"sampleCount", 1}};
  if (!request.aspect_ratio.empty()) parameters["aspectRatio"] = request.aspect_ratio;
  if (!request.negative_prompt.empty()) parameters["negativePrompt"] = request.negative_prompt;
  Json body = {{"instances", Json::array({std::move(instance)})}, {"parameters", std::move(parameters)}};
  RETURN_IF_ERROR(MergeOptions(request.options, Route::kOperation, &body));
  return body;
}

// Left to the options, since its place is not confirmed: {"generation_config": {"video_config": {"task":
// …}}}.
StatusOr<Json> InteractionBody(const PartRequest& request, const Model& model) {
  Json format = {{"type", request.kind}, {"delivery", "uri"}};
  if (!request.aspect_ratio.empty()) format["aspect_ratio"] = request.aspect_ratio;
  Json input = request.prompt;
  if (!request.references.empty()) {
    input = Json::array();
    if (!request.prompt.empty()) input.push_back({{"type", "text"}, {"text", request.prompt}});
    for (const Reference& reference : request.references) {
      input.push_back({{"type", "image"},
                       {"mime_type", reference.media_type},
                       {"data", Base64Encode(reference.bytes.view())}});
    }
  }
  Json body = {{"model", model.name},
               {"input", std::move(input)},
               {"background", true},
               {"store", true},
               {"response_format", std::move(format)}};
  RETURN_IF_ERROR(MergeOptions(request.options, Route::kInteraction, &body));
  return body;
}

}  // namespace

StatusOr<Json> BuildBody(const PartRequest& request, const Model& model) {
  RETURN_IF_ERROR(CheckPrompt(request));
  RETURN_IF_ERROR(CheckReferences(request));
  switch (model.route) {
    case Route::kGenerate:
      return GenerateBody(request);
    case Route::kOperation:
      return OperationBody(request);
    case Route::kInteraction:
      break;
  }
  return InteractionBody(request, model);
}

}  // namespace mediagen::gemini
