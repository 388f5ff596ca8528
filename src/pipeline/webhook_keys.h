// WebhookKeys: what providers sign their webhooks with. The configured secret, or what the provider
// publishes, kept for a day.
//
// Thread-safe. However many webhooks wait, one fetch a provider is under way. Keys are secret: none is
// logged.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/http_client.h"
#include "provider/provider.h"

namespace mediagen {

class WebhookKeys {
 public:
  // Both must outlive this, and `http` must be stopped before it goes.
  WebhookKeys(HttpClient* http, Clock* clock) : http_(http), clock_(clock) {}

  struct Keys {
    std::vector<std::string> keys;  // none: the provider signs nothing, or nobody configured its secret
    bool may_be_old = false;        // they were fetched before: newer ones may be there
  };
  using Done = std::function<void(StatusOr<Keys>)>;

  // `done` comes inline when they are known, else on the executor. `fresh`: a signature was made by none of
  // them, so they are fetched again, unless that was tried within the last minute. kUnavailable (with a retry
  // hint) when the provider does not give them.
  void Get(const std::shared_ptr<const Adapter>& adapter, bool fresh, Done done);

 private:
  struct Entry {
    std::vector<std::string> keys;
    int64_t fetched_ms = 0, next_ms = 0;  // monotonic; next_ms: no fetch before
    bool fetching = false;
    std::vector<Done> waiting;
  };
  void Fetched(const std::shared_ptr<const Adapter>& adapter, const HttpResponse& response);

  HttpClient* const http_;
  Clock* const clock_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // by the provider's name
};

}  // namespace mediagen
