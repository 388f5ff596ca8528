#include <doctest/doctest.h>

#include "net/http_client.h"

namespace mediagen {
namespace {

TEST_CASE("private and reserved addresses are not public, up to the edges of their ranges") {
  for (const char* address : {"0.0.0.0",
                              "0.255.255.255",
                              "10.0.0.0",
                              "10.255.255.255",
                              "100.64.0.0",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.255.255",
                              "169.254.169.254",
                              "172.16.0.0",
                              "172.31.255.255",
                              "192.0.0.0",
                              "192.0.0.255",
                              "192.0.2.1",
                              "192.88.99.1",
                              "192.168.0.0",
                              "192.168.255.255",
                              "198.18.0.0",
                              "198.19.255.255",
                              "198.51.100.7",
                              "203.0.113.7",
                              "224.0.0.0",
                              "239.255.255.255",
                              "240.0.0.0",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "fc00::1",
                              "fdff:ffff::1",
                              "fe80::1",
                              "febf::1",
                              "fec0::1",
                              "ff00::",
                              "ff02::1",
                              "2001:db8::1",
                              "2001:db8:ffff::",
                              "3fff::1",
                              "3fff:fff::1",
                              "::ffff:127.0.0.1",
                              "::ffff:8.8.8.8",
                              "::8.8.8.8",
                              "::127.0.0.1",
                              "64:ff9b::1",
                              "64:ff9b::7f00:1",
                              "64:ff9b:1::1",
                              "100::1",
                              "2002:7f00:1::",
                              "2001::1",
                              "2001:1ff:ffff::",
                              "4000::1"}) {
    CAPTURE(address);
    CHECK_FALSE(IsPublicAddress(address));
  }
}

TEST_CASE("the neighbours of those ranges are public") {
  for (const char* address :
       {"1.0.0.0",           "8.8.8.8",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
        "100.128.0.0",       "126.255.255.255", "128.0.0.0",       "169.253.255.255", "169.255.0.0",
        "172.15.255.255",    "172.32.0.0",      "192.0.1.0",       "192.0.3.0",       "192.167.255.255",
        "192.169.0.0",       "198.17.255.255",  "198.20.0.0",      "203.0.114.0",     "223.255.255.255",
        "2000::1",           "2001:200::1",     "2001:db7:ffff::", "2001:db9::",      "2606:4700::1111",
        "2a00:1450:4001::1", "3ffe::1",         "3fff:1000::1"}) {
    CAPTURE(address);
    CHECK(IsPublicAddress(address));
  }
}

TEST_CASE("what is no address in its plain spelling is not public") {
  for (std::string_view address :
       {std::string_view(""), std::string_view("localhost"), std::string_view("0x8.8.8.8"),
        std::string_view("8.8.8"), std::string_view("134744072"), std::string_view("010.8.8.8"),
        std::string_view("8.8.8.8 "), std::string_view("8.8.8.8/8"), std::string_view("2606:4700::1111%eth0"),
        std::string_view("[2606:4700::1111]"), std::string_view("8.8.8.8\0", 8)}) {
    CAPTURE(address);
    CHECK_FALSE(IsPublicAddress(address));
  }
}

}  // namespace
}  // namespace mediagen
