#include "pipeline/webhook_keys.h"

#include <algorithm>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kKeptMs = 24 * 3'600'000;  // as fal asks of those who check its webhooks
constexpr int64_t kFetchEveryMs = 60'000;
constexpr int64_t kFetchAgainMs = 10'000;    // after a fetch that brought nothing
constexpr int64_t kFetchTimeoutMs = 10'000;  // providers wait 15 s for the answer to a webhook

Status NotHad(const Adapter& adapter, int64_t retry_ms) {
  return Error(
      Code::kUnavailable, fmt::format("The keys of {}'s webhooks could not be had.", adapter.config().name),
      {.hint = "Send the webhook again later.", .retry_after_ms = std::max<int64_t>(retry_ms, 1000)});
}

}  // namespace

void WebhookKeys::Get(const std::shared_ptr<const Adapter>& adapter, bool fresh, Done done) {
  const ProviderConfig& config = adapter->config();
  if (!config.webhook_secret.empty()) return done(Keys{.keys = {config.webhook_secret}});
  StatusOr<HttpRequest> request = adapter->BuildWebhookKeys();
  if (CodeOf(request.status()) == Code::kUnsupported) return done(Keys{});
  if (!request.ok()) return done(NotHad(*adapter, kFetchAgainMs));
  StatusOr<Keys> known = Keys{};
  bool fetch = false;
  {
    std::lock_guard lock(mutex_);
    Entry& entry = entries_[config.name];
    const int64_t now = clock_->MonotonicMs();
    const bool kept = !entry.keys.empty() && now < entry.fetched_ms + kKeptMs;
    const bool wanted = !kept || fresh;
    if (entry.fetching && wanted) {
      entry.waiting.push_back(std::move(done));
      return;
    }
    if (wanted && now >= entry.next_ms) {
      entry.fetching = fetch = true;
      entry.next_ms = now + kFetchEveryMs;
      entry.waiting.push_back(std::move(done));
    } else if (kept) {
      known = Keys{.keys = entry.keys, .may_be_old = !fresh};
    } else {
      known = NotHad(*adapter, entry.next_ms - now);
    }
  }
  if (!fetch) return done(std::move(known));
  request->timeout_ms = std::min(request->timeout_ms, kFetchTimeoutMs);
  http_->Send(std::move(*request),
              [this, adapter](const HttpResponse& response) { Fetched(adapter, response); });
}

void WebhookKeys::Fetched(const std::shared_ptr<const Adapter>& adapter, const HttpResponse& response) {
  StatusOr<std::vector<std::string>> keys = adapter->ParseWebhookKeys(response);
  std::vector<Done> waiting;
  StatusOr<Keys> result = Keys{};
  {
    std::lock_guard lock(mutex_);
    Entry& entry = entries_[adapter->config().name];
    const int64_t now = clock_->MonotonicMs();
    entry.fetching = false;
    waiting.swap(entry.waiting);
    if (keys.ok()) {
      entry.keys = std::move(*keys);
      entry.fetched_ms = now;
    } else if (entry.keys.empty()) {
      entry.next_ms = now + kFetchAgainMs;
    }
    if (keys.ok() || now < entry.fetched_ms + kKeptMs) result = Keys{.keys = entry.keys};
    if (result->keys.empty()) result = NotHad(*adapter, entry.next_ms - now);
  }
  for (Done& done : waiting) done(result);
}

}  // namespace mediagen
