#include "provider/openai/model.h"

#include "fmt/format.h"

namespace mediagen::openai {
namespace {

struct KnownModel {
  std::string_view prefix;
  Traits traits;
};

// From OpenAI's published interface description. Longer prefixes first.
//
// gpt-image-2 makes pictures of any size: two of the largest (3840x2160) as PNG fit into an answer that is
// kept whole (kAnswerLimits); three may not, and would be paid for in vain.
constexpr KnownModel kKnownModels[] = {
    {"gpt-image-2", {.videos = false, .max_n = 2, .always_base64 = true, .size_step = 16}},
    {"gpt-image-1",
     {.videos = false, .max_n = 10, .always_base64 = true, .sizes = " 1024x1024 1536x1024 1024x1536 "}},
    {"gpt-image", {.videos = false, .always_base64 = true}},
    {"chatgpt-image", {.videos = false, .always_base64 = true}},
    {"dall-e-3",
     {.videos = false, .max_pictures = 0, .asks_base64 = true, .sizes = " 1024x1024 1792x1024 1024x1792 "}},
    {"dall-e-2",
     {.videos = false,
      .max_n = 10,
      .max_pictures = 1,
      .asks_base64 = true,
      .sizes = " 256x256 512x512 1024x1024 "}},
    {"dall-e", {.videos = false, .max_pictures = 0, .asks_base64 = true}},
    {"sora", {.images = false, .max_pictures = 1, .sizes = " 720x1280 1280x720 1024x1792 1792x1024 "}},
};

}  // namespace

bool IsOpenAi(const Endpoint& endpoint) { return endpoint.SameOrigin(kBaseUrl); }

Traits TraitsOf(std::string_view model) {
  const std::string_view name = model.substr(model.rfind('/') + 1);  // the whole where there is no slash
  for (const KnownModel& known : kKnownModels) {
    if (name.starts_with(known.prefix)) return known.traits;
  }
  return {};
}

Capabilities CapabilitiesOf(const Traits& traits, bool own) {
  Capabilities capabilities;
  capabilities.kinds.clear();
  if (traits.images) capabilities.kinds.emplace_back("image");
  if (traits.videos) capabilities.kinds.emplace_back("video");
  capabilities.max_n_per_request = traits.max_n;
  capabilities.seed = !own;
  capabilities.negative_prompt = !own;
  capabilities.references = traits.max_pictures > 0;
  capabilities.reference_bytes = true;
  capabilities.max_references = traits.max_pictures + (traits.images ? 1 : 0);  // and the mask
  if (traits.images) capabilities.reference_roles.emplace_back("mask");
  if (traits.videos) capabilities.reference_roles.emplace_back("firstFrame");
  return capabilities;
}

Status CheckSize(const Traits& traits, const PartRequest& part) {
  if (part.size.empty()) return OkStatus();
  uint32_t width = 0, height = 0;
  RETURN_IF_ERROR(ParseSize(part.size, &width, &height));
  if (!traits.sizes.empty() &&
      traits.sizes.find(fmt::format(" {}x{} ", width, height)) == std::string_view::npos) {
    return Error(
        Code::kInvalid,
        fmt::format("\"size\" is {}, which \"{}\" does not make.", part.size, Shorten(part.model, 100)),
        {.hint = fmt::format("It makes: {}.", Trim(traits.sizes))});
  }
  if (width % traits.size_step == 0 && height % traits.size_step == 0) return OkStatus();
  return Error(Code::kInvalid,
               fmt::format("\"size\" is {}; both sides have to be multiples of {} for \"{}\".", part.size,
                           traits.size_step, Shorten(part.model, 100)));
}

}  // namespace mediagen::openai
