// Whom a request is charged as that is charged by address.
#pragma once

#include <string>
#include <string_view>

#include "api/http.h"

namespace mediagen {

struct AddressRules {
  int ipv6_prefix = 64;  // 32 to 128: addresses that agree in so many bits are one
  // So many proxies stand before the host, each of which adds to a header field the address that spoke to it.
  // What stands further to the left may be the client's invention. 0: no field is read.
  int trusted_hops = 0;
  // Which field the proxies write: Forwarded (RFC 7239), else X-Forwarded-For. The other one would be the
  // client's own words, so it is not read.
  bool forwarded = false;
};

constexpr int kMostTrustedHops = 16;

// The address of the client, as text: the principal's, or what the outermost of the trusted proxies tells. A
// request that came by fewer proxies is the leftmost address's. What is no address ("unknown", "_hidden") is
// told as it stands.
std::string ClientAddress(const ApiRequest& request, const AddressRules& rules);

// What an address is charged as: IPv4 by itself, also when it comes mapped into IPv6 (::ffff:192.0.2.1), IPv6
// by its prefix, in one spelling for all that mean the same. Another text is its own key.
std::string AddressKey(std::string_view ip, int ipv6_prefix);

}  // namespace mediagen
