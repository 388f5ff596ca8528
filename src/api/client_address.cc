#include "api/client_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "base/text.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

// Takes the last element off a comma-separated list (RFC 9110 §5.6.1) whose elements may hold quoted strings.
// It is read from its end, where the proxies write, so that nothing that a client has put before, an open
// quote for one, says where those elements begin.
std::string_view TakeLast(std::string_view* list) {
  while (!list->empty()) {
    bool quoted = false;
    size_t begin = list->size();
    for (; begin > 0; --begin) {
      const char c = (*list)[begin - 1];
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) break;
    }
    const std::string_view element = Trim(list->substr(begin));
    *list = list->substr(0, begin == 0 ? 0 : begin - 1);
    if (!element.empty()) return element;
  }
  return {};
}

// The value of "for" in one element of Forwarded (RFC 7239 §4); "unknown" when it does not say.
std::string_view ForOf(std::string_view element) {
  while (!element.empty()) {
    const size_t end = std::min(element.find(';'), element.size());
    const std::string_view pair = Trim(element.substr(0, end));
    element.remove_prefix(std::min(end + 1, element.size()));
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !EqualsIgnoreCase(Trim(pair.substr(0, equals)), "for")) continue;
    std::string_view value = Trim(pair.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return value;
  }
  return "unknown";
}

// Without brackets and port: "[2001:db8::1]:4711" and "192.0.2.1:80" are addresses with a port.
std::string_view WithoutPort(std::string_view node) {
  if (node.starts_with('[')) return node.substr(1, std::min(node.find(']'), node.size()) - 1);
  const size_t colon = node.find(':');
  const bool one = colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos;
  return one ? node.substr(0, colon) : node;
}

}  // namespace

std::string ClientAddress(const ApiRequest& request, const AddressRules& rules) {
  std::string address = request.principal.ip;
  if (rules.trusted_hops == 0) return address;
  std::string_view list = request.Header(rules.forwarded ? "forwarded" : "x-forwarded-for");
  for (int hop = 0; hop < rules.trusted_hops; ++hop) {
    const std::string_view element = TakeLast(&list);
    if (element.empty()) break;
    address = WithoutPort(rules.forwarded ? ForOf(element) : element);
  }
  return address;
}

std::string AddressKey(std::string_view ip, int ipv6_prefix) {
  const std::string text(ip.substr(0, ip.find('%')));  // without the zone of a link-local address
  char spelled[INET6_ADDRSTRLEN];
  in_addr v4;
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1)
    return fmt::format("ip/{}", inet_ntop(AF_INET, &v4, spelled, sizeof spelled));
  in6_addr v6;
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return fmt::format("ip/{}", ToLower(ip));
  if (IN6_IS_ADDR_V4MAPPED(&v6))
    return fmt::format("ip/{}", inet_ntop(AF_INET, v6.s6_addr + 12, spelled, sizeof spelled));
  for (int bit = ipv6_prefix; bit < 128; bit = (bit / 8 + 1) * 8)
    v6.s6_addr[bit / 8] &= static_cast<uint8_t>(0xFF00 >> (bit % 8));
  return fmt::format("ip/{}/{}", inet_ntop(AF_INET6, &v6, spelled, sizeof spelled), ipv6_prefix);
}

}  // namespace mediagen
