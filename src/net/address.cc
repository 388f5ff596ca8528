// Which addresses a guarded request may connect to: the public ones, by the IANA special-purpose registries
// (RFC 6890 and its updates).
#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "net/http_client.h"

namespace mediagen {
namespace {

struct Range4 {
  uint8_t a, b, c;
  int bits;
};

constexpr Range4 kReserved4[] = {
    {0, 0, 0, 8},        // this network
    {10, 0, 0, 8},       // private, RFC 1918
    {100, 64, 0, 10},    // carrier-grade NAT, RFC 6598
    {127, 0, 0, 8},      // loopback
    {169, 254, 0, 16},   // link-local; cloud metadata lives at 169.254.169.254
    {172, 16, 0, 12},    // private
    {192, 0, 0, 24},     // IETF protocol assignments
    {192, 0, 2, 24},     // TEST-NET-1
    {192, 88, 99, 24},   // 6to4 relays, RFC 7526
    {192, 168, 0, 16},   // private
    {198, 18, 0, 15},    // benchmarking
    {198, 51, 100, 24},  // TEST-NET-2
    {203, 0, 113, 24},   // TEST-NET-3
    {224, 0, 0, 3},      // multicast, reserved, broadcast: 224.0.0.0 and above
};

struct Range6 {
  uint16_t first, second;
  int bits;
};

// Only 2000::/3 is global unicast (RFC 4291 §2.4). That alone refuses ::, ::1, IPv4-mapped and -compatible,
// 64:ff9b::/96 and 64:ff9b:1::/48 (NAT64), 100::/64, fc00::/7, fe80::/10, fec0::/10 and ff00::/8. These stand
// inside it and are special all the same:
constexpr Range6 kReserved6[] = {
    {0x2001, 0x0000, 23},  // IETF protocol assignments; Teredo embeds IPv4 addresses
    {0x2001, 0x0db8, 32},  // documentation
    {0x2002, 0x0000, 16},  // 6to4 embeds IPv4 addresses
    {0x3fff, 0x0000, 20},  // documentation
};

bool IsPublic4(const in_addr& address) {
  uint32_t value = ntohl(address.s_addr);
  for (const Range4& range : kReserved4) {
    uint32_t start = uint32_t{range.a} << 24 | uint32_t{range.b} << 16 | uint32_t{range.c} << 8;
    uint32_t mask = ~uint32_t{0} << (32 - range.bits);
    if ((value & mask) == start) return false;
  }
  return true;
}

bool IsPublic6(const in6_addr& address) {
  if ((address.s6_addr[0] & 0xe0) != 0x20) return false;
  uint32_t value = 0;
  std::memcpy(&value, address.s6_addr, sizeof value);
  value = ntohl(value);
  for (const Range6& range : kReserved6) {
    uint32_t start = uint32_t{range.first} << 16 | range.second;
    uint32_t mask = ~uint32_t{0} << (32 - range.bits);
    if ((value & mask) == start) return false;
  }
  return true;
}

}  // namespace

bool IsPublicAddress(std::string_view address) {
  // inet_pton alone: it takes no octal, hexadecimal or shortened spelling, and no zone.
  std::array<char, INET6_ADDRSTRLEN + 1> text{};
  if (address.size() >= text.size() || address.find('\0') != std::string_view::npos) return false;
  std::memcpy(text.data(), address.data(), address.size());
  in_addr v4{};
  if (inet_pton(AF_INET, text.data(), &v4) == 1) return IsPublic4(v4);
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.data(), &v6) == 1) return IsPublic6(v6);
  return false;
}

}  // namespace mediagen
