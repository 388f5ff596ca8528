#include "provider/replicate/input.h"

#include "fmt/format.h"

namespace mediagen::replicate {
namespace {

// A reference's address: a URL that Replicate fetches itself, or a data URI.
StatusOr<std::string> ReferenceUrl(const Json& reference) {
  if (reference.is_object()) {
    auto it = reference.find("url");
    if (it != reference.end() && it->is_string()) {
      const std::string& url = it->get_ref<const std::string&>();
      if (url.starts_with("data:image/") || url.starts_with("data:video/") || ParseUrl(url).ok()) return url;
    }
  }
  return Error(Code::kInvalid,
               "A reference has no \"url\" that is an http or https URL or a data URI of a picture.");
}

Status AddReferences(const PartRequest& request, const ModelTraits& traits, Json* input) {
  if (!request.references.is_array()) return Error(Code::kInvalid, "\"references\" is not an array.");
  const size_t count = request.references.size();
  if (count == 0) return OkStatus();
  if (count > static_cast<size_t>(traits.max_references)) {
    return Error(Code::kUnsupported,
                 fmt::format("{} references were given; \"{}\" takes {}.", count, Shorten(request.model, 120),
                             traits.max_references),
                 {.hint = "Name the model's own inputs in \"options\"."});
  }
  Json list = Json::array();
  for (const Json& reference : request.references) {
    ASSIGN_OR_RETURN(std::string url, ReferenceUrl(reference));
    list.push_back(std::move(url));
  }
  switch (traits.references) {
    case ReferenceKeys::kImage:
      (*input)["image"] = list[0];
      break;
    case ReferenceKeys::kInputImage:
      (*input)["input_image"] = list[0];
      break;
    case ReferenceKeys::kInputImages:
      for (size_t i = 0; i < count; ++i)
        (*input)[i == 0 ? "input_image" : fmt::format("input_image_{}", i + 1)] = list[i];
      break;
    case ReferenceKeys::kImageInput:
      (*input)["image_input"] = std::move(list);
      break;
  }
  return OkStatus();
}

}  // namespace

StatusOr<Json> BuildInput(const PartRequest& request, const Target& target) {
  if (!request.options.is_object() && !request.options.is_null())
    return Error(Code::kInvalid, "\"options\" is not an object.");
  Json input = request.options.is_object() ? request.options : Json::object();
  if (!request.prompt.empty()) input["prompt"] = request.prompt;
  if (!request.negative_prompt.empty()) input["negative_prompt"] = request.negative_prompt;
  if (request.seed.has_value()) input["seed"] = *request.seed;
  if (request.n > 1) input["num_outputs"] = request.n;
  if (!request.size.empty()) {
    uint32_t width = 0, height = 0;
    RETURN_IF_ERROR(ParseSize(request.size, &width, &height));
    input["width"] = width;
    input["height"] = height;
  } else if (!request.aspect_ratio.empty()) {
    input["aspect_ratio"] = request.aspect_ratio;
  }
  RETURN_IF_ERROR(AddReferences(request, TraitsOf(target.model), &input));
  return input;
}

}  // namespace mediagen::replicate
