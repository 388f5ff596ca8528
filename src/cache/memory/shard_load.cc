// The single-flight half of a shard: who loads, who waits, and what a load that ends leaves behind.
#include <algorithm>
#include <utility>

#include "cache/memory/shard.h"
#include "fmt/format.h"

namespace mediagen::memory_cache {
namespace {

Status LoadExpired(uint64_t token) {
  return Error(Code::kStale,
               fmt::format("Load token {} has expired or was used before; nothing was stored.", token),
               {.hint = "Load faster, or ask for a longer load timeout."});
}

}  // namespace

Cache::Lookup Shard::GetOrLoad(HashedKey key, int64_t load_timeout_ms, Cache::Waiter waiter) {
  Aftermath after;
  std::lock_guard lock(mutex_);
  if (Entry* entry = Find(key, &after)) return {Cache::Lookup::kHit, entry->value, 0};
  load_timeout_ms = std::max<int64_t>(load_timeout_ms, 1);
  const int64_t now_ms = clock_->MonotonicMs();
  ExpireOverdue(now_ms, 2, &after);  // so that loads which nobody ends do not pile up where nobody sweeps
  Flight* flight = flights_.Attached(key.text);
  if (flight && flight->deadline_ms <= now_ms) {
    Expire(flight, now_ms, &after);
    flight = flights_.Attached(key.text);
  }
  if (!flight) return {Cache::Lookup::kLoad, nullptr, StartLoad(key, load_timeout_ms, now_ms)};
  const uint64_t token = NewToken();
  if (waiter) flights_.Wait(flight, token, {std::move(waiter), load_timeout_ms, log_->generation()});
  return {Cache::Lookup::kWait, nullptr, token};
}

uint64_t Shard::StartLoad(HashedKey key, int64_t load_timeout_ms, int64_t now_ms) {
  ++stats_.loads;
  return flights_.Begin(key.text, key.hash, NewToken(), log_->BeginLoad(), After(now_ms, load_timeout_ms))
      ->token;
}

std::unique_ptr<Flight> Shard::EndLoad(Flight* flight) {
  log_->EndLoad(flight->begun);
  return flights_.End(flight);
}

// The load of `token`, or null when it is over; an overdue one ends here and now.
Flight* Shard::Current(uint64_t token, Aftermath* after) {
  Flight* flight = flights_.ByToken(token);
  if (!flight) return nullptr;
  const int64_t now_ms = clock_->MonotonicMs();
  if (flight->deadline_ms > now_ms) return flight;
  Expire(flight, now_ms, after);
  return nullptr;
}

Status Shard::Fill(uint64_t token, BufferRef value, const EntryOptions& options) {
  if (!value)
    return Error(Code::kInvalid, fmt::format("Load token {} was filled with no value.", token),
                 {.hint = "Use Fail."});
  SoleValue sole = MakeSole(std::move(value));
  Aftermath after;
  std::lock_guard lock(mutex_);
  Flight* flight = Current(token, &after);
  if (!flight) {
    after.dropped.push_back(std::move(sole.value));
    return LoadExpired(token);
  }
  // Under this lock: an Invalidate that comes later finds the entry, since it logs first and drops
  // afterwards.
  const uint64_t invalidated = log_->InvalidatedSince(flight->begun, options.tags);
  std::unique_ptr<Flight> ended = EndLoad(flight);
  const HashedKey key{ended->key, ended->hash};
  const bool current = ended->attached && invalidated == 0;
  // Without waiters the cache gets the only reference.
  if (current) Store(key, ended->waiting.empty() ? std::move(sole) : sole, options, &after);

  WaitList too_late;  // those who asked after the invalidation: this value is older than their question
  for (auto& [wait_token, waiting] : ended->waiting) {
    if (invalidated != 0 && waiting.joined >= invalidated) {
      too_late.emplace(wait_token, std::move(waiting));
    } else {
      after.outcomes.emplace_back(std::move(waiting.waiter), Cache::Outcome{OkStatus(), sole.value, 0});
    }
  }
  Restart(key, std::move(too_late), clock_->MonotonicMs(), &after);
  after.dropped.push_back(std::move(sole.value));
  if (current) return OkStatus();
  return Error(
      Code::kStale,
      fmt::format("The key of load token {} was invalidated during the load; its value was not stored.",
                  token));
}

Status Shard::Fail(uint64_t token, Status error) {
  if (error.ok())
    return Error(Code::kInvalid, fmt::format("Load token {} was failed without an error.", token),
                 {.hint = "Use Fill."});
  Aftermath after;
  std::lock_guard lock(mutex_);
  Flight* flight = Current(token, &after);
  if (!flight) return LoadExpired(token);
  ++stats_.load_failures;
  std::unique_ptr<Flight> ended = EndLoad(flight);
  for (auto& [wait_token, waiting] : ended->waiting) {
    after.outcomes.emplace_back(std::move(waiting.waiter), Cache::Outcome{error, nullptr, 0});
  }
  return OkStatus();
}

void Shard::Forget(uint64_t wait_token) {
  Aftermath after;
  std::lock_guard lock(mutex_);
  Cache::Waiter waiter;
  if (flights_.Forget(wait_token, &waiter)) after.forgotten.push_back(std::move(waiter));
}

void Shard::Expire(Flight* flight, int64_t now_ms, Aftermath* after) {
  ++stats_.load_failures;
  std::unique_ptr<Flight> ended = EndLoad(flight);
  Restart({ended->key, ended->hash}, std::move(ended->waiting), now_ms, after);
}

void Shard::ExpireOverdue(int64_t now_ms, size_t most, Aftermath* after) {
  for (; most > 0; --most) {
    Flight* earliest = flights_.Earliest();
    if (!earliest || earliest->deadline_ms > now_ms) return;
    Expire(earliest, now_ms, after);
  }
}

// Finds those who wait for `key` without a load another end: the value, if one was stored meanwhile; the
// load, if another is under way; else the first of them becomes the loader.
void Shard::Restart(HashedKey key, WaitList waiting, int64_t now_ms, Aftermath* after) {
  if (waiting.empty()) return;
  auto entry = entries_.find(key);
  if (entry != entries_.end() && !(*entry)->expired(now_ms)) {
    for (auto& [token, wait] : waiting) {
      after->outcomes.emplace_back(std::move(wait.waiter), Cache::Outcome{OkStatus(), (*entry)->value, 0});
    }
    return;
  }
  Flight* flight = flights_.Attached(key.text);
  if (!flight) {
    auto first = waiting.begin();
    const uint64_t load_token = StartLoad(key, first->second.load_timeout_ms, now_ms);
    after->outcomes.emplace_back(std::move(first->second.waiter),
                                 Cache::Outcome{OkStatus(), nullptr, load_token});
    waiting.erase(first);
    flight = flights_.ByToken(load_token);
  }
  for (auto& [token, wait] : waiting) flights_.Wait(flight, token, std::move(wait));
}

}  // namespace mediagen::memory_cache
