// Endpoint: a provider's base URL, and the requests that go there with the key.
//
// Thread-safe: immutable.
#pragma once

#include <string>
#include <string_view>

#include "net/http_client.h"
#include "provider/provider.h"

namespace mediagen {

class Endpoint {
 public:
  // The configured base URL, or the adapter's own. kInvalid when it is no URL, has a query, or is plain http
  // without allowPrivateNetwork.
  static StatusOr<Endpoint> Make(const ProviderConfig& config, std::string_view own);

  // The base URL without a slash at its end.
  const std::string& base() const { return base_; }
  // Whether `url` has the scheme, host and port of the base URL: only there may the key go.
  bool SameOrigin(std::string_view url) const;
  // Whether `url` may be asked for at all: https, or http where the provider's network is opted in.
  bool Acceptable(std::string_view url) const;
  // A request to `url`, guarded as the provider is configured, without credentials.
  HttpRequest Plain(std::string_view method, std::string url) const;

 private:
  std::string base_, origin_;
  int64_t timeout_ms_ = 0;
  bool private_ok_ = false;
};

}  // namespace mediagen
