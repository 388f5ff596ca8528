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

Cache::Lookup Shard::GetOrLoad(HashedKey key, const LoadOptions& options, Cache::Waiter waiter) {
  using Lookup = Cache::Lookup;
  {
    Lock lock(*this);
    if (Entry* entry = Plain(key)) {
      NoteHit(entry);
      return {Lookup::kHit, entry->value(), 0, false};
    }
  }
  const int64_t load_ms = std::max<int64_t>(options.load_ms, 1);
  Aftermath after;
  Lock lock(*this);
  int64_t now_ms = clock_->MonotonicMs();
  Entry* entry = Find(key, &now_ms, &after);
  ExpireOverdue(now_ms, 2, &after);  // so that loads which nobody ends do not pile up where nobody sweeps
  Flight* flight = flights_.Attached(key.text);
  if (flight && flight->deadline_ms <= now_ms) {
    Expire(flight, now_ms, &after);
    flight = flights_.Attached(key.text);
  }
  if (entry) {
    NoteHit(entry);
    const bool negative = (entry->flags & Entry::kNegative) != 0;
    if (negative) ++stats_.negative_hits;
    const Details* details = entry->details();
    Lookup found{negative ? Lookup::kNegative : Lookup::kHit, entry->value(), 0, false};
    if (!details || details->stale_at_ms > now_ms) return found;
    ++stats_.stale_hits;
    found.stale = true;
    if (!flight && details->retry_at_ms <= now_ms) found.token = StartLoad(key, load_ms, now_ms);
    return found;
  }
  ++stats_.misses;
  policy_->Miss(key.hash);
  if (!flight) return {Lookup::kLoad, nullptr, StartLoad(key, load_ms, now_ms), false};
  const uint64_t token = NewToken();
  if (waiter) {
    const int64_t deadline_ms = After(now_ms, std::max<int64_t>(options.wait_ms, 1));
    flights_.Wait(flight, token, {std::move(waiter), load_ms, deadline_ms, log_->generation()});
  }
  return {Lookup::kWait, nullptr, token, false};
}

uint64_t Shard::StartLoad(HashedKey key, int64_t load_ms, int64_t now_ms) {
  ++stats_.loads;
  return flights_.Begin(key, NewToken(), log_->BeginLoad(), now_ms, After(now_ms, load_ms))->token;
}

std::unique_ptr<Flight> Shard::EndLoad(Flight* flight) {
  log_->EndLoad(flight->begun);
  reserved_bytes_ -= flight->reserved_bytes;
  return flights_.End(flight);
}

Status Shard::Reserve(uint64_t token, uint64_t bytes) {
  Aftermath after;
  Lock lock(*this);
  Flight* flight = Current(token, &after);
  if (!flight) return LoadExpired(token);
  uint64_t charge = kEntryOverhead + kSharedOverhead + flight->key.size();
  if (bytes > options_.largest_entry || charge > options_.largest_entry - bytes) {
    return Error(Code::kTooLarge, fmt::format("A value of {} bytes is more than the cache keeps of one ({}).",
                                              bytes, options_.largest_entry));
  }
  charge += bytes;
  if (charge > flight->reserved_bytes) {
    const uint64_t more = charge - flight->reserved_bytes;
    ReleasePinned(pinned_.size(), &after);
    TellHits();
    judged_ms_ = clock_->MonotonicMs();
    evicted_.clear();
    Room room = RoomLeft();
    if (more > room.bytes || !policy_->Shrink({room.bytes - more, room.entries}, &evicted_)) {
      return Error(
          Code::kOverloaded,
          fmt::format("The cache has no room for a load of {} bytes: readers and other "
                      "loads hold what it has.",
                      bytes),
          {.hint = "Try again when they have ended, or raise the cache's bytes.", .retry_after_ms = 100});
    }
    DropEvicted(&after);
  }
  reserved_bytes_ = reserved_bytes_ - flight->reserved_bytes + charge;
  flight->reserved_bytes = charge;
  return OkStatus();
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
  if (!value && !options.negative)
    return Error(Code::kInvalid, fmt::format("Load token {} was filled with no value.", token),
                 {.hint = "Use Fail, or say that the entry is negative."});
  SoleValue sole = MakeSole(std::move(value));
  Aftermath after;
  Lock lock(*this);
  Flight* flight = Current(token, &after);
  if (!flight) {
    after.dropped.push_back(std::move(sole.value));
    return LoadExpired(token);
  }
  const int64_t now_ms = clock_->MonotonicMs();
  stats_.load_ms += static_cast<uint64_t>(std::max<int64_t>(0, now_ms - flight->begun_ms));
  // Under this lock: an Invalidate that comes later finds the entry, since it logs first and drops
  // afterwards.
  const uint64_t invalidated = log_->InvalidatedSince(flight->begun, options.tags);
  std::unique_ptr<Flight> ended = EndLoad(flight);
  const HashedKey key{ended->key, ended->hash};
  const bool current = ended->attached && invalidated == 0;
  if (current) {
    // Without waiters the cache gets the only reference.
    Admission refusal;
    NewEntry entry = Make(key, ended->waiting.empty() ? std::move(sole) : sole, options, now_ms, &refusal);
    Store(key, std::move(entry), refusal, options, now_ms, &after);
  }
  WaitList too_late;  // those who asked after the invalidation: this value is older than their question
  for (auto& [wait_token, waiting] : ended->waiting) {
    if (invalidated != 0 && waiting.joined >= invalidated) {
      too_late.emplace(wait_token, std::move(waiting));
    } else {
      // Where there are waiters, Make got a copy.
      BufferRef shared = sole.value;  // NOLINT(bugprone-use-after-move)
      after.outcomes.emplace_back(std::move(waiting.waiter),
                                  Cache::Outcome{OkStatus(), std::move(shared), 0, options.negative});
    }
  }
  Restart(key, std::move(too_late), now_ms, &after);
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
  Lock lock(*this);
  Flight* flight = Current(token, &after);
  if (!flight) return LoadExpired(token);
  ++stats_.load_failures;
  std::unique_ptr<Flight> ended = EndLoad(flight);
  for (auto& [wait_token, waiting] : ended->waiting) {
    after.outcomes.emplace_back(std::move(waiting.waiter), Cache::Outcome{error, nullptr, 0, false});
  }
  // A value that could not be refreshed stands, stale as it is, and is not tried again at once.
  Entry* entry = table_.Find({ended->key, ended->hash});
  if (Details* details = entry ? entry->details() : nullptr; details && details->stale_at_ms != kNever)
    details->retry_at_ms = After(clock_->MonotonicMs(), details->retry_ms);
  return OkStatus();
}

Status Shard::Abandon(uint64_t token) {
  Aftermath after;
  Lock lock(*this);
  Flight* flight = Current(token, &after);
  if (!flight) return LoadExpired(token);
  Expire(flight, clock_->MonotonicMs(), &after);
  return OkStatus();
}

void Shard::Forget(uint64_t wait_token) {
  Aftermath after;
  Lock lock(*this);
  Cache::Waiter waiter;
  if (flights_.Forget(wait_token, &waiter)) after.forgotten.push_back(std::move(waiter));
}

void Shard::Expire(Flight* flight, int64_t now_ms, Aftermath* after) {
  ++stats_.load_failures;
  std::unique_ptr<Flight> ended = EndLoad(flight);
  Restart({ended->key, ended->hash}, std::move(ended->waiting), now_ms, after);
}

void Shard::ExpireOverdue(int64_t now_ms, size_t most, Aftermath* after) {
  Cache::Waiter waiter;
  for (size_t left = most; left > 0 && flights_.TakeOverdueWait(now_ms, &waiter); --left) {
    after->outcomes.emplace_back(std::move(waiter),
                                 Cache::Outcome{Error(Code::kTimeout, "The value was not loaded in time.",
                                                      {.hint = "Wait longer, or load it yourself."}),
                                                nullptr, 0, false});
  }
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
  int64_t read_ms;
  if (Entry* entry = Find(key, &read_ms, after)) {
    const bool negative = (entry->flags & Entry::kNegative) != 0;
    for (auto& [token, wait] : waiting) {
      after->outcomes.emplace_back(std::move(wait.waiter),
                                   Cache::Outcome{OkStatus(), entry->value(), 0, negative});
    }
    return;
  }
  Flight* flight = flights_.Attached(key.text);
  if (!flight) {
    auto first = waiting.begin();
    const uint64_t load_token = StartLoad(key, first->second.load_ms, now_ms);
    after->outcomes.emplace_back(std::move(first->second.waiter),
                                 Cache::Outcome{OkStatus(), nullptr, load_token, false});
    waiting.erase(first);
    flight = flights_.ByToken(load_token);
  }
  for (auto& [token, wait] : waiting) flights_.Wait(flight, token, std::move(wait));
}

}  // namespace mediagen::memory_cache
