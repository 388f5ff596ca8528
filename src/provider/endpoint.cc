#include "provider/endpoint.h"

#include "fmt/format.h"

namespace mediagen {

StatusOr<Endpoint> Endpoint::Make(const ProviderConfig& config, std::string_view own) {
  Endpoint endpoint;
  endpoint.base_ = config.base_url.empty() ? std::string(own) : config.base_url;
  while (endpoint.base_.ends_with('/')) endpoint.base_.pop_back();
  StatusOr<Url> url = ParseUrl(endpoint.base_);
  if (!url.ok()) return Annotate(url.status(), fmt::format("baseUrl of provider \"{}\"", config.name));
  if (endpoint.base_.find_first_of("?#") != std::string::npos) {
    return Error(Code::kInvalid,
                 fmt::format("baseUrl of provider \"{}\" has a query or a fragment.", config.name));
  }
  if (url->scheme != "https" && !config.allow_private_network) {
    return Error(Code::kInvalid,
                 fmt::format("baseUrl of provider \"{}\" is plain http: the key would travel in the clear.",
                             config.name),
                 {.hint = "Use https, or set allowPrivateNetwork for a server of your own."});
  }
  endpoint.origin_ = url->origin();
  endpoint.timeout_ms_ = config.timeout_ms;
  endpoint.private_ok_ = config.allow_private_network;
  return endpoint;
}

bool Endpoint::SameOrigin(std::string_view text) const {
  StatusOr<Url> url = ParseUrl(text);
  return url.ok() && url->origin() == origin_;
}

bool Endpoint::Acceptable(std::string_view text) const {
  StatusOr<Url> url = ParseUrl(text);
  return url.ok() && (url->scheme == "https" || private_ok_);
}

HttpRequest Endpoint::Plain(std::string_view method, std::string url) const {
  HttpRequest request;
  request.method = method;
  request.url = std::move(url);
  request.timeout_ms = timeout_ms_;
  request.guard_address = !private_ok_;
  request.https_only = !private_ok_;
  return request;
}

}  // namespace mediagen
