#include "net/redirect.h"

#include <algorithm>
#include <array>

#include "fmt/format.h"

namespace mediagen {

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

namespace {

// Servers do send spaces and raw UTF-8 in a Location (file names); browsers encode them, and so do we.
std::string Encoded(std::string_view location) {
  std::string out;
  for (unsigned char c : location) {
    if (c == ' ' || c >= 0x80) {
      fmt::format_to(std::back_inserter(out), "%{:02X}", c);
    } else {
      out.push_back(static_cast<char>(c));
    }
  }
  return out;
}

}  // namespace

StatusOr<Url> ResolveLocation(const Url& base, std::string_view given) {
  const std::string location = Encoded(Trim(given));
  std::string_view before_query = std::string_view(location).substr(0, location.find_first_of("?#"));
  size_t colon = before_query.find(':');
  size_t slash = before_query.find('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon < slash)) {
    return ParseUrl(location);  // it has a scheme of its own
  }
  const std::string& path = base.path_and_query;
  std::string_view base_path = std::string_view(path).substr(0, path.find('?'));
  const std::string origin = base.origin();
  if (location.starts_with("//")) return ParseUrl(fmt::format("{}:{}", base.scheme, location));
  if (location.starts_with("/")) return ParseUrl(origin + location);
  if (location.empty() || location.starts_with("#")) return ParseUrl(origin + path);
  if (location.starts_with("?")) return ParseUrl(fmt::format("{}{}{}", origin, base_path, location));
  return ParseUrl(fmt::format("{}{}{}", origin, base_path.substr(0, base_path.rfind('/') + 1), location));
}

HttpHeaders WithoutCredentials(const HttpHeaders& headers) {
  constexpr std::array<std::string_view, 7> kHarmless = {
      "accept", "accept-language", "cache-control", "if-none-match", "if-range", "range", "user-agent"};
  HttpHeaders kept;
  for (const auto& header : headers) {
    if (std::find(kHarmless.begin(), kHarmless.end(), ToLower(header.first)) != kHarmless.end())
      kept.push_back(header);
  }
  return kept;
}

std::string UrlText(const Url& url) {
  const bool default_port = url.port == (url.scheme == "https" ? 443 : 80);
  if (default_port) return fmt::format("{}://{}{}", url.scheme, url.host, url.path_and_query);
  return url.origin() + url.path_and_query;
}

}  // namespace mediagen
