// Requests are checked against what the model can do before any money is spent.
#include <algorithm>
#include <charconv>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "provider/provider.h"

namespace mediagen {
namespace {

constexpr uint32_t kMaxSide = 32768;

// One to five digits, the whole text, at least 1.
bool ParseSide(std::string_view text, uint32_t* side) {
  if (text.empty() || text.size() > 5) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *side);
  return error == std::errc() && end == text.data() + text.size() && *side >= 1 && *side <= kMaxSide;
}

template <typename List>
bool Contains(const List& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

Status Unsupported(std::string_view provider, std::string_view field, std::string_view instead) {
  return Error(Code::kUnsupported, fmt::format("Provider \"{}\" does not take \"{}\".", provider, field),
               {.hint = std::string(instead)});
}

Status CheckSize(std::string_view provider, const Capabilities& capabilities, const PartRequest& request) {
  if (request.size.empty()) return OkStatus();
  if (!capabilities.size) return Unsupported(provider, "size", "Leave it out, or use \"aspectRatio\".");
  uint32_t width = 0, height = 0;
  RETURN_IF_ERROR(ParseSize(request.size, &width, &height));
  const bool too_wide = capabilities.max_width > 0 && width > capabilities.max_width;
  const bool too_high = capabilities.max_height > 0 && height > capabilities.max_height;
  if (!too_wide && !too_high) return OkStatus();
  return Error(Code::kInvalid,
               fmt::format("\"size\" is {}; provider \"{}\" makes at most {}x{}.", request.size, provider,
                           capabilities.max_width, capabilities.max_height));
}

Status CheckAspectRatio(std::string_view provider, const Capabilities& capabilities,
                        const PartRequest& request) {
  if (request.aspect_ratio.empty()) return OkStatus();
  if (!capabilities.aspect_ratio)
    return Unsupported(provider, "aspectRatio", "Leave it out, or use \"size\".");
  if (!request.size.empty())
    return Error(Code::kInvalid, "\"size\" and \"aspectRatio\" cannot be given together.");
  const std::string_view text = request.aspect_ratio;
  const size_t colon = text.find(':');
  uint32_t width = 0, height = 0;
  if (colon != std::string_view::npos && ParseSide(text.substr(0, colon), &width) &&
      ParseSide(text.substr(colon + 1), &height)) {
    return OkStatus();
  }
  return Error(Code::kInvalid, fmt::format("\"aspectRatio\" is \"{}\".", Shorten(text, 40)),
               {.hint = "Write it as \"16:9\"."});
}

Status CheckReferences(std::string_view provider, const Capabilities& capabilities,
                       const PartRequest& request) {
  if (request.references.empty()) return OkStatus();
  if (!capabilities.references)
    return Unsupported(provider, "references", "Leave them out, or choose a provider that edits pictures.");
  const auto most = static_cast<size_t>(capabilities.max_references);
  if (request.references.size() > most) {
    return Error(Code::kUnsupported,
                 fmt::format("{} references were given; provider \"{}\" takes {} with \"{}\".",
                             request.references.size(), provider, most, Shorten(request.model, 100)));
  }
  for (const Reference& reference : request.references) {
    if (!reference.role.empty() && !Contains(capabilities.reference_roles, reference.role)) {
      return Unsupported(
          provider, fmt::format("references: role {}", Shorten(reference.role, 40)),
          capabilities.reference_roles.empty()
              ? "Leave the role out."
              : fmt::format("It takes the roles: {}.", fmt::join(capabilities.reference_roles, ", ")));
    }
  }
  return OkStatus();
}

Status CheckCount(std::string_view provider, const Capabilities& capabilities, int n) {
  if (n >= 1 && n <= capabilities.max_n) return OkStatus();
  return Error(Code::kInvalid,
               fmt::format("\"n\" is {}; provider \"{}\" takes 1 to {}.", n, provider, capabilities.max_n));
}

}  // namespace

Status ParseSize(std::string_view text, uint32_t* width, uint32_t* height) {
  const size_t x = text.find('x');
  uint32_t w = 0, h = 0;
  if (x == std::string_view::npos || !ParseSide(text.substr(0, x), &w) ||
      !ParseSide(text.substr(x + 1), &h)) {
    return Error(Code::kInvalid, fmt::format("\"size\" is \"{}\".", Shorten(text, 40)),
                 {.hint = fmt::format("Write it as \"1024x768\", each side 1 to {}.", kMaxSide)});
  }
  *width = w;
  *height = h;
  return OkStatus();
}

Status CheckRequest(std::string_view provider, const Capabilities& capabilities, const PartRequest& request,
                    int n) {
  if (!capabilities.models.empty() && !Contains(capabilities.models, request.model)) {
    return Error(Code::kInvalid,
                 fmt::format("Provider \"{}\" has no model \"{}\".", provider, Shorten(request.model, 100)),
                 {.hint = fmt::format("It has: {}.", fmt::join(capabilities.models, ", "))});
  }
  if (!Contains(capabilities.kinds, request.kind)) {
    return Error(Code::kUnsupported,
                 fmt::format("Provider \"{}\" does not make \"{}\".", provider, Shorten(request.kind, 40)),
                 {.hint = fmt::format("It makes: {}.", fmt::join(capabilities.kinds, ", "))});
  }
  RETURN_IF_ERROR(CheckCount(provider, capabilities, n));
  if (request.seed.has_value() && !capabilities.seed) return Unsupported(provider, "seed", "Leave it out.");
  if (!request.negative_prompt.empty() && !capabilities.negative_prompt) {
    return Unsupported(provider, "negativePrompt", "Say it in the prompt.");
  }
  RETURN_IF_ERROR(CheckReferences(provider, capabilities, request));
  RETURN_IF_ERROR(CheckSize(provider, capabilities, request));
  return CheckAspectRatio(provider, capabilities, request);
}

}  // namespace mediagen
