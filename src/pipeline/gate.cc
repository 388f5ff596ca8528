#include "pipeline/gate.h"

#include <algorithm>

namespace mediagen {
namespace {

constexpr int64_t kFullMs = 1'000;  // how soon to ask again where all places are taken: requests take seconds
constexpr int64_t kLeastMs = 20;    // a pause is over by then, whatever the clocks' steps

}  // namespace

void Gate::Add(const std::string& provider, int most) {
  auto [it, added] = doors_->by_provider.try_emplace(provider, most);
  if (!added) return;
  const Labels labels = {{"provider", provider}};
  it->second.limit =
      metrics_->AddGauge("mediagen_provider_window",
                         "Paid requests that a provider is given at once, as it bears them.", labels);
  it->second.requests = metrics_->AddGauge("mediagen_provider_requests",
                                           "Paid requests of this process at a provider.", labels);
  it->second.limit.Set(it->second.window.limit());
}

Gate::Door* Gate::Find(const std::string& provider) {
  auto it = doors_->by_provider.find(provider);
  return it == doors_->by_provider.end() ? nullptr : &it->second;
}

Gate::Place Gate::Take(Door* door) {
  ++door->inside;
  door->requests.Set(door->inside);
  return Place(door, [doors = doors_](void* left) {
    auto* place = static_cast<Door*>(left);
    std::lock_guard lock(doors->mutex);
    --place->inside;
    place->requests.Set(place->inside);
  });
}

Gate::Place Gate::Enter(const std::string& provider, int64_t* wait_ms) {
  std::lock_guard lock(doors_->mutex);
  Door* door = Find(provider);
  if (door == nullptr) return Place(this, [](void*) {});
  const int64_t now = clock_->MonotonicMs();
  if (now < door->window.paused_until()) {
    *wait_ms = std::max(kLeastMs, door->window.paused_until() - now);
    return nullptr;
  }
  if (door->inside >= door->window.limit()) {
    *wait_ms = kFullMs;
    return nullptr;
  }
  return Take(door);
}

Gate::Place Gate::Occupy(const std::string& provider) {
  std::lock_guard lock(doors_->mutex);
  Door* door = Find(provider);
  return door == nullptr ? Place(this, [](void*) {}) : Take(door);
}

void Gate::Accepted(const std::string& provider) {
  std::lock_guard lock(doors_->mutex);
  if (Door* door = Find(provider)) {
    door->window.OnSuccess();
    door->limit.Set(door->window.limit());
  }
}

void Gate::Overloaded(const std::string& provider, int64_t sent, int64_t retry_after_ms) {
  std::lock_guard lock(doors_->mutex);
  if (Door* door = Find(provider)) {
    door->window.OnOverload(sent, clock_->MonotonicMs(), retry_after_ms);
    door->limit.Set(door->window.limit());
  }
}

}  // namespace mediagen
