// Whom a request is charged as: addresses that mean the same, and what proxies tell.
#include "api/client_address.h"

#include "api/exchange.h"

using namespace mediagen;
using mediagen::testing::RequestOf;

TEST_CASE("addresses that mean the same are charged as one") {
  struct Row {
    std::string_view ip, key;
    int prefix = 64;
  };
  constexpr Row kRows[] = {
      {"192.0.2.1", "ip/192.0.2.1"},
      {"::ffff:192.0.2.1", "ip/192.0.2.1"},
      {"::FFFF:c000:0201", "ip/192.0.2.1"},
      {"0:0:0:0:0:ffff:192.0.2.1", "ip/192.0.2.1"},
      {"2001:db8:1:2:3:4:5:6", "ip/2001:db8:1:2::/64"},
      {"2001:DB8:1:2::", "ip/2001:db8:1:2::/64"},
      {"2001:0db8:0001:0002:ffff:ffff:ffff:ffff", "ip/2001:db8:1:2::/64"},
      {"2001:db8:1:3::1", "ip/2001:db8:1:3::/64"},
      {"fe80::1%eth0", "ip/fe80::/64"},
      {"::1", "ip/::/64"},
      {"::192.0.2.1", "ip/::/64"},  // IPv4-compatible (RFC 4291 §2.5.5.1) is deprecated and no IPv4 address
      {"192.0.2.01", "ip/192.0.2.01"},  // nobody's spelling of an address
      {"Unix", "ip/unix"},
      {"", "ip/"},
      {"2001:db8:1:2ff::1", "ip/2001:db8:1:200::/56", 56},
      {"2001:db8:1:2ff::1", "ip/2001:db8:1::/48", 48},
      {"2001:db8:ffff:ffff::1", "ip/2001:db8::/32", 32},
      {"2001:db8:ffff::1", "ip/2001:db8:8000::/33", 33},
      {"2001:db8::ffff", "ip/2001:db8::fffe/127", 127},
      {"2001:db8::ffff", "ip/2001:db8::ffff/128", 128},
      {"::ffff:192.0.2.1", "ip/192.0.2.1", 32},
      {"192.0.2.1", "ip/192.0.2.1", 32},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.ip);
    CAPTURE(row.prefix);
    CHECK(AddressKey(row.ip, row.prefix) == row.key);
  }
}

TEST_CASE("behind trusted proxies the client is whom the outermost of them tells") {
  struct Row {
    int hops;
    std::string_view headers;
    std::string_view client;  // the peer is 10.0.0.1
    bool forwarded = false;
  };
  constexpr Row kRows[] = {
      {0, "x-forwarded-for: 192.0.2.1\n", "10.0.0.1"},
      {1, "", "10.0.0.1"},
      {1, "x-forwarded-for: 192.0.2.1\n", "192.0.2.1"},
      {1, "x-forwarded-for: 198.51.100.7, 192.0.2.1\n", "192.0.2.1"},  // the left one is the client's own
      {2, "x-forwarded-for: 198.51.100.7, 192.0.2.1\n", "198.51.100.7"},
      {2, "x-forwarded-for: 198.51.100.7\nx-forwarded-for: 192.0.2.1\n", "198.51.100.7"},
      {3, "x-forwarded-for: 198.51.100.7, 192.0.2.1\n", "198.51.100.7"},  // by one proxy less
      {1, "x-forwarded-for: ,192.0.2.1 , \n", "192.0.2.1"},
      {1, "x-forwarded-for: 192.0.2.1:4711\n", "192.0.2.1"},
      {1, "x-forwarded-for: [2001:db8::1]:4711\n", "2001:db8::1"},
      {1, "x-forwarded-for: 2001:db8::1\n", "2001:db8::1"},
      {1, "x-forwarded-for: unknown\n", "unknown"},
      {1, "x-forwarded-for: \", 192.0.2.1\n", "192.0.2.1"},
      {1, "forwarded: for=192.0.2.1\n", "10.0.0.1"},  // the client's own words, when proxies write the other
      {1, "x-forwarded-for: 192.0.2.1\n", "10.0.0.1", true},
      {1, "forwarded: for=192.0.2.1\n", "192.0.2.1", true},
      {1, "forwarded: For=\"[2001:db8:cafe::17]:4711\";proto=https\n", "2001:db8:cafe::17", true},
      {1, "forwarded: by=203.0.113.43;proto=http;for=192.0.2.60\n", "192.0.2.60", true},
      {1, "forwarded: for=192.0.2.43, for=\"[2001:db8::1]\"\n", "2001:db8::1", true},
      {2, "forwarded: for=192.0.2.43, for=\"[2001:db8::1]\"\n", "192.0.2.43", true},
      {1, "forwarded: for=\"a, for=192.0.2.1\n", "192.0.2.1", true},  // an open quote hides nothing
      {1, "forwarded: for=\"x;\\\", for=\"192.0.2.1:80\"\n", "192.0.2.1", true},
      {1, "forwarded: for=\"a,b\"\n", "a,b", true},
      {1, "forwarded: for=_hidden\n", "_hidden", true},
      {1, "forwarded: proto=https\n", "unknown", true},
      {1, "forwarded: for=\n", "", true},
      {1, "forwarded: for=[\n", "", true},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.headers);
    CAPTURE(row.hops);
    ApiRequest request = RequestOf("GET", row.headers);
    request.principal.ip = "10.0.0.1";
    AddressRules rules;
    rules.trusted_hops = row.hops;
    rules.forwarded = row.forwarded;
    CHECK(ClientAddress(request, rules) == row.client);
  }
}
