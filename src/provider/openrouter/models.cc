#include "provider/openrouter/models.h"

namespace mediagen::openrouter {
namespace {

constexpr int kMaxReferences = 16;

struct Family {
  std::string_view prefix;
  bool image = true, video = true;
  int max_n = 1;
};

// Families whose kind is certain. "n" is an upper bound on OpenRouter: a model may make fewer pictures than
// it was asked for, and answer without an error. So only models that are known to keep to it are asked for
// several at once; for the others each picture is a request of its own.
constexpr Family kFamilies[] = {
    {.prefix = "openai/gpt-image", .video = false, .max_n = kMaxPictures},
    {.prefix = "openai/sora-", .image = false},
    {.prefix = "google/gemini-", .video = false},
    {.prefix = "google/veo-", .image = false},
    {.prefix = "bytedance/seedance-", .image = false},
    {.prefix = "black-forest-labs/flux", .video = false},
};

Family FamilyOf(std::string_view model) {
  for (const Family& family : kFamilies) {
    if (model.starts_with(family.prefix)) return family;
  }
  return {};
}

}  // namespace

Capabilities CapabilitiesOf(std::string_view model) {
  const Family family = FamilyOf(model);
  Capabilities capabilities;
  capabilities.kinds.clear();
  if (family.image) capabilities.kinds.emplace_back("image");
  if (family.video) capabilities.kinds.emplace_back("video");
  if (family.video) capabilities.reference_roles = {"firstFrame", "lastFrame"};
  capabilities.max_n_per_request = family.max_n;
  capabilities.references = true;
  capabilities.max_references = kMaxReferences;
  capabilities.size = family.image;  // a video's is its "resolution", an option, and its aspect ratio
  capabilities.aspect_ratio = true;
  return capabilities;
}

}  // namespace mediagen::openrouter
