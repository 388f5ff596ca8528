#include "provider/fal/models.h"

namespace mediagen::fal {
namespace {

// Pictures from words alone.
constexpr ModelTraits Text(int max_images, Shape shape, bool negative_prompt = false) {
  return {.video = false,
          .max_images = max_images,
          .negative_prompt = negative_prompt,
          .shape = shape,
          .references = ReferenceKey::kNone,
          .max_references = 0,
          .mask = false};
}

// Pictures from pictures.
constexpr ModelTraits Edit(int max_images, Shape shape, ReferenceKey key, int max_references,
                           bool mask = false) {
  ModelTraits traits = Text(max_images, shape);
  traits.references = key;
  traits.max_references = max_references;
  traits.mask = mask;
  return traits;
}

constexpr ModelTraits WithNegative(ModelTraits traits) {
  traits.negative_prompt = true;
  return traits;
}

// One video, which may begin with pictures. Which of them take a seed, a negative prompt or several pictures
// changes from version to version: all are passed on.
constexpr ModelTraits kVideo = {.image = false, .shape = Shape::kAspectRatio, .mask = false};

struct KnownModel {
  std::string_view prefix;
  ModelTraits traits;
};

// From the models' published input schemas. Longer prefixes before the shorter ones that they begin with.
constexpr KnownModel kKnownModels[] = {
    {"fal-ai/flux/schnell", Text(4, Shape::kImageSize)},
    {"fal-ai/flux/dev/image-to-image", Edit(4, Shape::kNone, ReferenceKey::kImageUrl, 1)},
    {"fal-ai/flux/dev", Text(4, Shape::kImageSize)},
    {"fal-ai/flux-pro/kontext/max/multi", Edit(4, Shape::kAspectRatio, ReferenceKey::kImageUrls, 4)},
    {"fal-ai/flux-pro/kontext/multi", Edit(4, Shape::kAspectRatio, ReferenceKey::kImageUrls, 4)},
    {"fal-ai/flux-pro/kontext", Edit(4, Shape::kAspectRatio, ReferenceKey::kImageUrl, 1)},
    {"fal-ai/flux-pro/v1.1-ultra", Edit(4, Shape::kAspectRatio, ReferenceKey::kImageUrl, 1)},
    {"fal-ai/flux-pro/v1/fill", Edit(4, Shape::kNone, ReferenceKey::kImageUrl, 1, true)},
    {"fal-ai/flux-pro/v1.1", Text(4, Shape::kImageSize)},
    {"fal-ai/nano-banana", Edit(4, Shape::kAspectRatio, ReferenceKey::kImageUrls, 10)},
    {"fal-ai/gemini-25-flash-image", Edit(4, Shape::kAspectRatio, ReferenceKey::kImageUrls, 10)},
    {"fal-ai/bytedance/seedream", Edit(6, Shape::kImageSize, ReferenceKey::kImageUrls, 10)},
    {"fal-ai/bytedance/seedance", kVideo},
    {"fal-ai/imagen4", Text(4, Shape::kAspectRatio, true)},
    {"fal-ai/qwen-image-edit", WithNegative(Edit(4, Shape::kImageSize, ReferenceKey::kImageUrl, 1))},
    {"fal-ai/qwen-image", Text(4, Shape::kImageSize, true)},
    {"fal-ai/ideogram/v3/edit", Edit(8, Shape::kNone, ReferenceKey::kImageUrl, 1, true)},
    {"fal-ai/stable-diffusion-v35", Text(4, Shape::kImageSize, true)},
    {"fal-ai/fast-sdxl/image-to-image", WithNegative(Edit(8, Shape::kImageSize, ReferenceKey::kImageUrl, 1))},
    {"fal-ai/fast-sdxl/inpainting",
     WithNegative(Edit(8, Shape::kImageSize, ReferenceKey::kImageUrl, 1, true))},
    {"fal-ai/fast-sdxl", Text(8, Shape::kImageSize, true)},
    {"fal-ai/veo", kVideo},
    {"fal-ai/kling-video", kVideo},
    {"fal-ai/minimax/video", kVideo},
    {"fal-ai/minimax/hailuo", kVideo},
    {"fal-ai/luma-dream-machine", kVideo},
    {"fal-ai/ltx-video", kVideo},
    {"fal-ai/hunyuan-video", kVideo},
    {"fal-ai/pixverse", kVideo},
    {"fal-ai/sora", kVideo},
};

}  // namespace

ModelTraits TraitsOf(std::string_view model) {
  for (const KnownModel& known : kKnownModels) {
    if (model.starts_with(known.prefix)) return known.traits;
  }
  return {};
}

Capabilities CapabilitiesOf(const ModelTraits& traits) {
  Capabilities can;
  can.kinds.clear();
  if (traits.image) can.kinds.push_back("image");
  if (traits.video) can.kinds.push_back("video");
  can.max_n_per_request = traits.max_images;
  can.seed = traits.seed;
  can.negative_prompt = traits.negative_prompt;
  can.size = traits.image && (traits.shape == Shape::kEither || traits.shape == Shape::kImageSize);
  can.aspect_ratio = traits.shape != Shape::kNone;
  can.references = traits.references != ReferenceKey::kNone;
  can.max_references = traits.max_references + (traits.mask ? 1 : 0);
  if (traits.mask) can.reference_roles.push_back("mask");
  if (traits.video && can.references) can.reference_roles.push_back("firstFrame");
  return can;
}

}  // namespace mediagen::fal
