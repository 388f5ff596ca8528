#include "provider/replicate/target.h"

#include <algorithm>
#include <cctype>

#include "fmt/format.h"

namespace mediagen::replicate {
namespace {

constexpr size_t kMaxNameBytes = 100;

bool IsAsciiAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A path segment as Replicate gives them; "." and ".." would climb.
bool IsName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return IsAsciiAlnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool IsVersion(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

bool IsOwnerAndName(std::string_view text) {
  const size_t slash = text.find('/');
  return slash != std::string_view::npos && IsName(text.substr(0, slash)) && IsName(text.substr(slash + 1));
}

struct KnownModel {
  std::string_view prefix;
  ModelTraits traits;
};

// From the models' published input schemas. Longer prefixes first.
constexpr KnownModel kKnownModels[] = {
    {"black-forest-labs/flux-kontext", {.references = ReferenceKeys::kInputImage}},
    {"black-forest-labs/flux-schnell", {.max_outputs = 4}},
    {"black-forest-labs/flux-dev", {.max_outputs = 4}},
    {"black-forest-labs/flux-2", {.references = ReferenceKeys::kInputImages, .max_references = 8}},
    {"stability-ai/stable-diffusion-3", {}},
    {"stability-ai/stable-diffusion", {.max_outputs = 4}},
    {"stability-ai/sdxl", {.max_outputs = 4}},
    {"google/nano-banana", {.references = ReferenceKeys::kImageInput, .max_references = 10}},
    {"bytedance/seedream-4", {.references = ReferenceKeys::kImageInput, .max_references = 10}},
};

}  // namespace

StatusOr<Target> ParseTarget(std::string_view model) {
  constexpr std::string_view kDeployments = "deployments/";
  Target target;
  if (IsVersion(model)) {
    target.path = "/predictions";
    target.version = ToLower(model);
    return target;
  }
  const bool deployment = model.starts_with(kDeployments);  // no owner has that name
  if (deployment && IsOwnerAndName(model.substr(kDeployments.size()))) {
    target.model = model.substr(kDeployments.size());
    target.path = fmt::format("/deployments/{}/predictions", target.model);
    target.deployment = true;
    return target;
  }
  const size_t colon = model.find(':');
  const std::string_view name = deployment ? "" : model.substr(0, colon);
  if (IsOwnerAndName(name) && colon == std::string_view::npos) {
    target.model = name;
    target.path = fmt::format("/models/{}/predictions", name);
    return target;
  }
  if (IsOwnerAndName(name) && IsVersion(model.substr(colon + 1))) {
    target.model = name;
    target.version = ToLower(model.substr(colon + 1));
    target.path = "/predictions";
    return target;
  }
  return Error(Code::kInvalid,
               fmt::format("\"model\" is \"{}\", which names nothing on Replicate.", Shorten(model, 120)),
               {.hint = "Write \"owner/name\", \"owner/name:<64 hex digits>\", \"<64 hex digits>\" or "
                        "\"deployments/owner/name\"."});
}

ModelTraits TraitsOf(std::string_view model) {
  for (const KnownModel& known : kKnownModels) {
    if (model.starts_with(known.prefix)) return known.traits;
  }
  return {};
}

bool IsPredictionId(std::string_view id) {
  if (id.empty() || id.size() > 100) return false;
  return std::all_of(id.begin(), id.end(), [](char c) { return IsAsciiAlnum(c) || c == '-' || c == '_'; });
}

}  // namespace mediagen::replicate
