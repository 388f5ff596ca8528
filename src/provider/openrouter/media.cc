#include "provider/openrouter/media.h"

#include "fmt/format.h"
#include "provider/inline_data.h"

namespace mediagen::openrouter {
namespace {

constexpr size_t kMaxOutputs = 64;

// Markup can run scripts where it is shown. By the claim, and by the first character whatever the claim: no
// format of pictures or videos begins with "<".
bool IsActive(std::string_view media_type, std::string_view bytes) {
  const std::string claim = ToLower(Trim(media_type.substr(0, media_type.find(';'))));
  if (claim.starts_with("image/svg") || claim.starts_with("text/") || claim.ends_with("xml")) return true;
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && bytes[first] == '<';
}

void Keep(std::optional<RemoteOutput> output, Gathered* gathered) {
  if (!output.has_value()) {
    ++gathered->unreadable;
  } else if (IsActive(output->media_type, output->bytes.view())) {
    ++gathered->active;
  } else if (gathered->outputs.size() < kMaxOutputs) {
    gathered->outputs.push_back(std::move(*output));
  }
}

}  // namespace

std::string ResolveUrl(std::string_view url, const Endpoint& endpoint) {
  std::string absolute(url);
  if (url.starts_with('/') && !url.starts_with("//")) {
    const std::string& base = endpoint.base();  // checked: "https://host[:port][/path]"
    absolute = base.substr(0, base.find('/', base.find("://") + 3)) + absolute;
  }
  return endpoint.Acceptable(absolute) ? absolute : "";
}

void GatherInline(std::string_view base64, std::string_view media_type, Gathered* gathered) {
  Keep(InlineOutput(base64, media_type), gathered);
}

void GatherUri(std::string_view uri, const Endpoint& endpoint, Gathered* gathered) {
  if (uri.starts_with("data:")) {
    if (IsActive(uri.substr(5, uri.substr(5).find_first_of(",;")), "")) {
      ++gathered->active;  // also where it is not base64
    } else {
      Keep(DataUriOutput(uri), gathered);
    }
    return;
  }
  RemoteOutput output;
  output.url = ResolveUrl(uri, endpoint);
  if (output.url.empty()) return Keep(std::nullopt, gathered);
  output.needs_credentials = endpoint.SameOrigin(output.url);
  Keep(std::move(output), gathered);
}

std::string RefusalOf(const Gathered& gathered) {
  const int refused = gathered.active + gathered.unreadable;
  if (refused == 0) return "";
  return fmt::format("{} of {} pictures came {}, and {} refused.", refused,
                     refused + static_cast<int>(gathered.outputs.size()),
                     gathered.active == 0 ? "unreadable"
                     : gathered.unreadable == 0
                         ? "as SVG or other markup, which may hold scripts"
                         : "unreadable, or as SVG or other markup, which may hold scripts",
                     refused == 1 ? "was" : "were");
}

}  // namespace mediagen::openrouter
