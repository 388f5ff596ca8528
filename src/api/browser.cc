#include "api/browser.h"

#include <algorithm>

#include "base/text.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace mediagen {
namespace {

constexpr char kReadable[] =
    "Accept-Ranges, Allow, Content-Encoding, Content-Range, ETag, Location, RateLimit, RateLimit-Policy, "
    "Retry-After, "
    "WWW-Authenticate, X-Cache, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset";
constexpr int kPreflightSeconds = 7200;  // the most that Chromium keeps one

bool Holds(const std::vector<std::string>& origins, std::string_view origin) {
  return !origin.empty() && std::find(origins.begin(), origins.end(), origin) != origins.end();
}

bool MayRead(const OriginRules& rules, std::string_view origin) {
  return Holds(rules.cors, origin) || (!origin.empty() && Holds(rules.cors, "*"));
}

// Whether `origin` is the one that `host` names. Host may spell out a port that an origin leaves away.
bool NamesHost(std::string_view origin, std::string_view host) {
  const size_t colon = origin.find("://");
  if (colon == std::string_view::npos || host.empty()) return false;
  const std::string_view port = origin.substr(0, colon) == "https" ? ":443" : ":80";
  if (host.ends_with(port)) host.remove_suffix(port.size());
  return EqualsIgnoreCase(origin.substr(colon + 3), host);
}

void AddVary(std::string_view name, Response* response) {
  for (auto& [known, value] : response->headers) {
    if (known == "Vary") {
      value.append(", ").append(name);
      return;
    }
  }
  response->headers.emplace_back("Vary", name);
}

// A list of field names, as a preflight has it.
bool IsNameList(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == ',' || c == ' ';
  });
}

}  // namespace

bool IsOrigin(std::string_view text) {
  std::string_view rest = text;
  const bool secure = rest.starts_with("https://");
  if (!secure && !rest.starts_with("http://")) return false;
  rest.remove_prefix(secure ? 8 : 7);
  const size_t colon = rest.find(':', rest.starts_with('[') ? rest.find(']') : 0);
  const std::string_view host = rest.substr(0, colon);
  const bool good_host = !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == '[' ||
           c == ']' || c == ':';
  });
  if (!good_host || colon == std::string_view::npos) return good_host;
  const std::string_view port = rest.substr(colon + 1);
  return !port.empty() && port.size() <= 5 && port[0] != '0' && port != (secure ? "443" : "80") &&
         port.find_first_not_of("0123456789") == std::string_view::npos;
}

bool FromOurPages(const ApiRequest& request, const OriginRules& rules) {
  if (request.principal.auth != "cookie") return true;
  const std::string_view origin = request.Header("origin"), site = request.Header("sec-fetch-site");
  if (Holds(rules.allowed, origin)) return true;
  return site.empty() ? NamesHost(origin, request.Header("host")) : site == "same-origin";
}

void AddCors(const ApiRequest& request, const OriginRules& rules, Response* response) {
  if (rules.cors.empty()) return;
  const std::string_view origin = request.Header("origin");
  const bool any = !Holds(rules.cors, origin) && Holds(rules.cors, "*");
  if (rules.cors != std::vector<std::string>{"*"}) AddVary("Origin", response);
  if (!MayRead(rules, origin)) return;
  HeaderList& headers = response->headers;
  headers.emplace_back("Access-Control-Allow-Origin", any ? "*" : origin);
  if (!any && Holds(rules.allowed, origin)) headers.emplace_back("Access-Control-Allow-Credentials", "true");
  headers.emplace_back("Access-Control-Expose-Headers", kReadable);
}

Response OptionsResponse(const ApiRequest& request, const OriginRules& rules,
                         const std::vector<std::string_view>& methods) {
  Response response;
  response.status = 204;
  const std::string allow = fmt::format("{}", fmt::join(methods, ", "));
  response.headers = {{"Allow", allow}, {"Cache-Control", "no-store"}};
  if (rules.cors.empty()) return response;
  AddVary("Access-Control-Request-Method, Access-Control-Request-Headers", &response);
  const bool preflight = !request.Header("access-control-request-method").empty();
  if (!preflight || !MayRead(rules, request.Header("origin"))) return response;
  response.headers.emplace_back("Access-Control-Allow-Methods", allow);
  if (std::string_view names = request.Header("access-control-request-headers"); IsNameList(names))
    response.headers.emplace_back("Access-Control-Allow-Headers", names);
  response.headers.emplace_back("Access-Control-Max-Age", std::to_string(kPreflightSeconds));
  return response;
}

}  // namespace mediagen
