#include <charconv>

#include "fmt/format.h"
#include "net/http_client.h"

namespace mediagen {
namespace {

constexpr size_t kMaxUrlBytes = 8192;  // signed download URLs reach 2 KB; past this it is an attack

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsAlnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsUnreserved(char c) { return IsAlnum(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

// The text is never shown whole: its query may be a signature, and what stands before an "@" a password.
Status BadUrl(std::string_view text, std::string_view why) {
  std::string_view shown = text.substr(0, text.find_first_of("?#"));
  if (shown.find('@') != std::string_view::npos) shown = shown.substr(0, shown.find(':'));
  return Error(Code::kInvalid, fmt::format("The URL \"{}\" {}.", Shorten(shown, 120), why),
               {.hint = "Give an absolute http or https URL without user name or password."});
}

// Where two URL parsers could disagree (spaces, controls, backslashes, raw UTF-8), nothing is guessed.
bool HasUnsafeByte(std::string_view text) {
  for (unsigned char c : text) {
    if (c <= 0x20 || c >= 0x7f || c == '\\' || c == '"' || c == '<' || c == '>') return true;
  }
  return false;
}

bool IsHost(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  if (host.front() == '[') {
    if (host.size() < 4 || host.back() != ']') return false;
    for (char c : host.substr(1, host.size() - 2)) {
      if (!IsHex(c) && c != ':' && c != '.') return false;
    }
    return true;
  }
  for (char c : host) {
    if (!IsAlnum(c) && c != '-' && c != '.' && c != '_') return false;
  }
  return host.front() != '.';
}

// "host", "host:port" or "host:" (RFC 3986 §3.2.3 lets the port be empty).
bool SplitAuthority(std::string_view authority, Url* url) {
  size_t colon = authority.rfind(':');
  size_t bracket = authority.rfind(']');
  if (colon != std::string_view::npos && bracket != std::string_view::npos && colon < bracket) {
    colon = std::string_view::npos;
  }
  std::string_view host = authority.substr(0, colon);
  if (!IsHost(host)) return false;
  url->host = ToLower(host);
  url->port = url->scheme == "https" ? 443 : 80;
  if (colon == std::string_view::npos || colon + 1 == authority.size()) return true;
  std::string_view digits = authority.substr(colon + 1);
  int port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port < 1 || port > 65535) return false;
  url->port = port;
  return true;
}

}  // namespace

std::string Url::origin() const { return fmt::format("{}://{}:{}", scheme, host, port); }

StatusOr<Url> ParseUrl(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return BadUrl(text, fmt::format("has more than {} bytes", kMaxUrlBytes));
  if (HasUnsafeByte(text)) return BadUrl(text, "has a space, control or non-ASCII character");
  size_t colon = text.find("://");
  if (colon == std::string_view::npos) return BadUrl(text, "is not absolute");
  Url url;
  url.scheme = ToLower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return BadUrl(text, "is neither http nor https");

  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  size_t path = rest.find_first_of("/?");
  std::string_view authority = rest.substr(0, path);
  if (authority.find('@') != std::string_view::npos) return BadUrl(text, "carries a user name or password");
  if (!SplitAuthority(authority, &url)) return BadUrl(text, "has no valid host and port");

  url.path_and_query = path == std::string_view::npos ? std::string() : std::string(rest.substr(path));
  if (url.path_and_query.empty() || url.path_and_query.front() == '?') url.path_and_query.insert(0, 1, '/');
  for (size_t i = 0; i < url.path_and_query.size(); ++i) {
    if (url.path_and_query[i] != '%') continue;
    if (i + 2 >= url.path_and_query.size() || !IsHex(url.path_and_query[i + 1]) ||
        !IsHex(url.path_and_query[i + 2])) {
      return BadUrl(text, "has a broken percent-encoding");
    }
  }
  return url;
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (IsUnreserved(c)) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace mediagen
