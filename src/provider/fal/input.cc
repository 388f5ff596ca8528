#include "provider/fal/input.h"

#include "fmt/format.h"
#include "provider/fal/models.h"
#include "provider/inline_data.h"

namespace mediagen::fal {
namespace {

constexpr std::string_view kOwnInputs = "Name the model's own inputs in \"options\".";

// The ratios that "image_size" has names for.
struct NamedShape {
  std::string_view ratio, name;
};
constexpr NamedShape kNamedShapes[] = {{"1:1", "square_hd"},
                                       {"3:4", "portrait_4_3"},
                                       {"9:16", "portrait_16_9"},
                                       {"4:3", "landscape_4_3"},
                                       {"16:9", "landscape_16_9"}};

Status DoesNotTake(const PartRequest& request, std::string_view what, std::string_view hint = kOwnInputs) {
  return Error(Code::kUnsupported, fmt::format("\"{}\" does not take {}.", Shorten(request.model, 120), what),
               {.hint = std::string(hint)});
}

Status AddSize(const PartRequest& request, const ModelTraits& traits, Json* input) {
  uint32_t width = 0, height = 0;
  RETURN_IF_ERROR(ParseSize(request.size, &width, &height));
  if (traits.shape == Shape::kAspectRatio || traits.shape == Shape::kNone)
    return DoesNotTake(request, "\"size\"", "Leave it out, or use \"aspectRatio\".");
  if (request.kind == "video") {
    return DoesNotTake(request, "\"size\" for a video",
                       "Use \"aspectRatio\", or name the model's own inputs in \"options\".");
  }
  (*input)["image_size"] = {{"width", width}, {"height", height}};
  return OkStatus();
}

Status AddAspectRatio(const PartRequest& request, const ModelTraits& traits, Json* input) {
  if (traits.shape == Shape::kNone) return DoesNotTake(request, "\"aspectRatio\"", "Leave it out.");
  if (traits.shape != Shape::kImageSize) {
    (*input)["aspect_ratio"] = request.aspect_ratio;
    return OkStatus();
  }
  for (const NamedShape& shape : kNamedShapes) {
    if (shape.ratio != request.aspect_ratio) continue;
    (*input)["image_size"] = shape.name;
    return OkStatus();
  }
  return DoesNotTake(request, fmt::format("the \"aspectRatio\" \"{}\"", Shorten(request.aspect_ratio, 40)),
                     "It takes 1:1, 3:4, 9:16, 4:3 and 16:9; any other shape as \"size\".");
}

// Every role but the mask's is a picture to start from.
Status AddReferences(const PartRequest& request, const ModelTraits& traits, Json* input) {
  Json pictures = Json::array();
  const Reference* mask = nullptr;
  for (const Reference& reference : request.references) {
    if (reference.role == "mask") {
      if (mask != nullptr) return Error(Code::kInvalid, "Two references have the role mask; one is taken.");
      mask = &reference;
    } else if (reference.role.empty() || (reference.role == "firstFrame" && request.kind == "video")) {
      pictures.push_back(ReferenceUri(reference));
    } else {
      return DoesNotTake(request, fmt::format("a reference with the role {}", Shorten(reference.role, 40)));
    }
  }
  if (mask != nullptr && !traits.mask) return DoesNotTake(request, "a reference with the role mask");
  if (mask != nullptr && pictures.empty())
    return Error(Code::kInvalid, "A mask was given without the picture that it is for.");
  if (mask != nullptr) (*input)["mask_url"] = ReferenceUri(*mask);
  if (pictures.empty()) return OkStatus();
  if (traits.references == ReferenceKey::kNone) return DoesNotTake(request, "references");
  if (pictures.size() > static_cast<size_t>(traits.max_references)) {
    return DoesNotTake(request,
                       fmt::format("{} references, but at most {}", pictures.size(), traits.max_references));
  }
  const bool list = traits.references == ReferenceKey::kImageUrls ||
                    (traits.references == ReferenceKey::kEither && pictures.size() > 1);
  if (list) {
    (*input)["image_urls"] = std::move(pictures);
  } else {
    (*input)["image_url"] = pictures[0];
  }
  return OkStatus();
}

StatusOr<Json> CheckedOptions(const PartRequest& request) {
  if (request.options.is_null()) return Json(Json::object());
  if (!request.options.is_object()) return Error(Code::kInvalid, "\"options\" is not an object.");
  if (request.options.contains("sync_mode")) {
    return Error(Code::kInvalid,
                 "\"options\" may not set \"sync_mode\": pictures inside of the answer are lost with it.",
                 {.hint = "Leave it out; the pictures are downloaded."});
  }
  return request.options;
}

}  // namespace

StatusOr<Json> BuildInput(const PartRequest& request) {
  const ModelTraits traits = TraitsOf(request.model);
  ASSIGN_OR_RETURN(Json input, CheckedOptions(request));
  if (!request.prompt.empty()) input["prompt"] = request.prompt;
  if (!request.negative_prompt.empty()) {
    if (!traits.negative_prompt) return DoesNotTake(request, "\"negativePrompt\"", "Say it in the prompt.");
    input["negative_prompt"] = request.negative_prompt;
  }
  if (request.seed.has_value()) input["seed"] = *request.seed;
  if (request.n > traits.max_images) {
    return Error(Code::kUnsupported, fmt::format("\"{}\" makes at most {} a request; {} were asked for.",
                                                 Shorten(request.model, 120), traits.max_images, request.n));
  }
  if (traits.max_images > 1) input["num_images"] = request.n;
  if (!request.size.empty()) {
    RETURN_IF_ERROR(AddSize(request, traits, &input));
  } else if (!request.aspect_ratio.empty()) {
    RETURN_IF_ERROR(AddAspectRatio(request, traits, &input));
  }
  RETURN_IF_ERROR(AddReferences(request, traits, &input));
  return input;
}

}  // namespace mediagen::fal
