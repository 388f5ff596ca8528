// What a client may write before what a trusted proxy adds: it never decides whom the request is charged to.
#include "api/client_address.h"
#include "fuzz/exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const std::string text(fuzz::Text(data, size));
  for (const bool forwarded : {false, true}) {
    AddressRules rules;
    rules.forwarded = forwarded;
    rules.trusted_hops = 1;
    const char* name = forwarded ? "forwarded" : "x-forwarded-for";
    for (const char* added : {forwarded ? "for=192.0.2.1" : "192.0.2.1",
                              forwarded ? "by=x;for=\"192.0.2.1:80\"" : "192.0.2.1:80"}) {
      const ApiRequest request = fuzz::With("GET", {{name, text + ", " + added}});
      fuzz::Require(ClientAddress(request, rules) == "192.0.2.1", "the proxy's word is the last");
    }
    const ApiRequest request = fuzz::With("GET", {{name, text}});
    for (int hops = 0; hops <= kMostTrustedHops; ++hops) {
      rules.trusted_hops = hops;
      const std::string address = ClientAddress(request, rules);
      const bool own = address == "unknown" || address == request.principal.ip;  // the field names nobody
      fuzz::Require(own || text.find(address) != std::string::npos, "an address is a part of the field");
      fuzz::Require(AddressKey(address, 64).starts_with("ip/"), "a key of an address");
    }
  }
  for (int prefix = 32; prefix <= 128; ++prefix) fuzz::Require(!AddressKey(text, prefix).empty(), "a key");
  return 0;
}
