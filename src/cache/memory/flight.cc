#include "cache/memory/flight.h"

namespace mediagen::memory_cache {

Flight* Flights::Begin(std::string_view key, uint64_t hash, uint64_t token, uint64_t begun,
                       int64_t deadline_ms) {
  auto flight = std::make_unique<Flight>();
  flight->key = std::string(key);
  flight->hash = hash;
  flight->token = token;
  flight->begun = begun;
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
  for (const auto& [token, waiting] : flight->waiting) waits_.erase(token);
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

void Flights::DetachAll() {
  for (auto& [key, flight] : attached_) flight->attached = false;
  attached_.clear();
}

void Flights::Wait(Flight* flight, uint64_t wait_token, Waiting waiting) {
  flight->waiting.emplace(wait_token, std::move(waiting));
  waits_[wait_token] = flight;
}

bool Flights::Forget(uint64_t wait_token, Cache::Waiter* waiter) {
  auto found = waits_.find(wait_token);
  if (found == waits_.end()) return false;
  auto waiting = found->second->waiting.find(wait_token);
  *waiter = std::move(waiting->second.waiter);
  found->second->waiting.erase(waiting);
  waits_.erase(found);
  return true;
}

Flight* Flights::Earliest() const {
  return deadlines_.empty() ? nullptr : ByToken(deadlines_.begin()->second);
}

}  // namespace mediagen::memory_cache
