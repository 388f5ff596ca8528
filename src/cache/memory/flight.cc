#include "cache/memory/flight.h"

#include <algorithm>

namespace mediagen::memory_cache {

Flight* Flights::Begin(HashedKey key, uint64_t token, uint64_t begun, int64_t now_ms, int64_t deadline_ms) {
  auto flight = std::make_unique<Flight>();
  flight->key = std::string(key.text);
  flight->hash = key.hash;
  flight->token = token;
  flight->begun = begun;
  flight->begun_ms = now_ms;
  flight->deadline_ms = deadline_ms;
  Flight* begun_flight = flight.get();
  attached_[flight->key] = begun_flight;
  deadlines_.emplace(deadline_ms, token);
  flights_[token] = std::move(flight);
  return begun_flight;
}

std::unique_ptr<Flight> Flights::End(Flight* flight) {
  if (flight->attached) attached_.erase(attached_.find(flight->key));
  deadlines_.erase({flight->deadline_ms, flight->token});
  for (const auto& [token, waiting] : flight->waiting) {
    waits_.erase(token);
    impatient_.erase({waiting.deadline_ms, token});
  }
  auto found = flights_.find(flight->token);
  std::unique_ptr<Flight> ended = std::move(found->second);
  flights_.erase(found);
  return ended;
}

Flight* Flights::ByToken(uint64_t token) const {
  auto found = flights_.find(token);
  return found == flights_.end() ? nullptr : found->second.get();
}

Flight* Flights::Attached(std::string_view key) const {
  auto found = attached_.find(key);
  return found == attached_.end() ? nullptr : found->second;
}

void Flights::Detach(std::string_view key) {
  auto found = attached_.find(key);
  if (found == attached_.end()) return;
  found->second->attached = false;
  attached_.erase(found);
}

void Flights::DetachPrefix(std::string_view prefix) {
  absl::erase_if(attached_, [prefix](const auto& attached) {
    const bool detached = std::string_view(attached.first).substr(0, prefix.size()) == prefix;
    if (detached) attached.second->attached = false;
    return detached;
  });
}

void Flights::DetachAll() {
  for (auto& [key, flight] : attached_) flight->attached = false;
  attached_.clear();
}

void Flights::Wait(Flight* flight, uint64_t wait_token, Waiting waiting) {
  if (waiting.deadline_ms != kNever) impatient_.emplace(waiting.deadline_ms, wait_token);
  flight->waiting.emplace(wait_token, std::move(waiting));
  waits_[wait_token] = flight;
}

bool Flights::Forget(uint64_t wait_token, Cache::Waiter* waiter) {
  auto found = waits_.find(wait_token);
  if (found == waits_.end()) return false;
  auto waiting = found->second->waiting.find(wait_token);
  *waiter = std::move(waiting->second.waiter);
  impatient_.erase({waiting->second.deadline_ms, wait_token});
  found->second->waiting.erase(waiting);
  waits_.erase(found);
  return true;
}

bool Flights::TakeOverdueWait(int64_t now_ms, Cache::Waiter* waiter) {
  if (impatient_.empty() || impatient_.begin()->first > now_ms) return false;
  return Forget(impatient_.begin()->second, waiter);
}

int64_t Flights::NextDeadline() const {
  return std::min(deadlines_.empty() ? kNever : deadlines_.begin()->first,
                  impatient_.empty() ? kNever : impatient_.begin()->first);
}

Flight* Flights::Earliest() const {
  return deadlines_.empty() ? nullptr : ByToken(deadlines_.begin()->second);
}

}  // namespace mediagen::memory_cache
