#include "provider/replicate/input.h"

#include "fmt/format.h"
#include "provider/inline_data.h"

namespace mediagen::replicate {
namespace {

Status AddReferences(const PartRequest& request, const ModelTraits& traits, Json* input) {
  const size_t count = request.references.size();
  if (count == 0) return OkStatus();
  if (count > static_cast<size_t>(traits.max_references)) {
    return Error(Code::kUnsupported,
                 fmt::format("{} references were given; \"{}\" takes {}.", count, Shorten(request.model, 120),
                             traits.max_references),
                 {.hint = "Name the model's own inputs in \"options\"."});
  }
  Json list = Json::array();
  for (const Reference& reference : request.references) list.push_back(ReferenceUri(reference));
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
