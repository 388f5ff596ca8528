#include "mediagen/cache.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/json.h"
#include "capi/begin.h"
#include "capi/guard.h"
#include "fmt/format.h"

using namespace mediagen;
using namespace mediagen::capi;

namespace {

// What of `given` the caller's version of the struct has; the rest is 0.
mediagen_entry_options Whole(const mediagen_entry_options& given) {
  mediagen_entry_options whole{};
  std::memcpy(&whole, &given, std::min(given.struct_size, sizeof whole));
  return whole;
}

StatusOr<EntryOptions> ParseOptions(const mediagen_entry_options* given, mediagen_str tags) {
  constexpr uint32_t kFlags = MEDIAGEN_ENTRY_NEGATIVE | MEDIAGEN_ENTRY_VERSIONED;
  EntryOptions options;
  if (given != nullptr) {
    const mediagen_entry_options o = Whole(*given);
    auto refuse = [](std::string_view name, auto value, std::string_view takes) {
      return Error(Code::kInvalid, fmt::format("\"{}\" is {}; it takes {}.", name, value, takes));
    };
    if (o.ttl_ms < 0) return refuse("ttl_ms", o.ttl_ms, "0 (no expiry) or more");
    if (o.soft_ttl_ms < 0) return refuse("soft_ttl_ms", o.soft_ttl_ms, "0 (as ttl_ms) or more");
    if (!(o.jitter >= 0 && o.jitter <= 1)) return refuse("jitter", o.jitter, "0 to 1");
    if (!(o.cost >= 0)) return refuse("cost", o.cost, "0 (as 1) or more");
    if ((o.flags & ~kFlags) != 0) return refuse("flags", o.flags, "MEDIAGEN_ENTRY_* only");
    options.ttl_ms = o.ttl_ms;
    options.soft_ttl_ms = o.soft_ttl_ms;
    options.jitter = o.jitter;
    if (o.cost > 0) options.cost = o.cost;
    options.negative = (o.flags & MEDIAGEN_ENTRY_NEGATIVE) != 0;
    options.versioned = (o.flags & MEDIAGEN_ENTRY_VERSIONED) != 0;
  }
  std::string_view rest = View(tags);
  while (!rest.empty()) {
    size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) options.tags.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return options;
}

// Promotes overdue loads; how many ms until it wants to be called again.
int64_t SweepIn(Cache& cache) {
  int64_t next = cache.Sweep();
  return next == INT64_MAX ? INT64_MAX : std::max<int64_t>(next - SystemClock()->MonotonicMs(), 0);
}

Cache::Waiter CompleteWith(std::shared_ptr<Call> call) {
  return [call = std::move(call)](Cache::Outcome outcome) {
    if (outcome.load_token != 0) {
      call->CompleteWithLoad(outcome.load_token);
    } else {
      call->Complete(std::move(outcome.status), outcome.negative ? nullptr : std::move(outcome.value));
    }
  };
}

// The wait of one caller for another's load. It keeps the cache alive; the waiter in the cache keeps the
// call: the end of either undoes that.
StatusOr<int32_t> Wait(const std::shared_ptr<Cache>& cache, uint64_t wait_token, std::shared_ptr<Call> call,
                       mediagen_inbox* inbox, mediagen_call** pending) {
  call->OnWait([cache] { return SweepIn(*cache); });
  call->OnCancel([cache, wait_token] { cache->Forget(wait_token); });
  if (inbox != nullptr) {
    inbox->inbox->Attach(cache.get(), [weak = std::weak_ptr<Cache>(cache)] {
      std::shared_ptr<Cache> alive = weak.lock();
      if (alive != nullptr) alive->Sweep();
      return alive != nullptr;
    });
  }
  return HandOver(std::make_unique<mediagen_call>(std::move(call)), pending);
}

std::string StatsDocument(const CacheStats& s) {
  const uint64_t recent = s.recent_hits + s.recent_misses;
  Json ratio = nullptr;
  if (recent > 0) ratio = static_cast<double>(s.recent_hits) / static_cast<double>(recent);
  return Dump(Json{{"hits", s.hits},
                   {"misses", s.misses},
                   {"staleHits", s.stale_hits},
                   {"negativeHits", s.negative_hits},
                   {"hitRatio", ratio},
                   {"loads", s.loads},
                   {"loadFailures", s.load_failures},
                   {"loadMs", s.load_ms},
                   {"refusals", s.refusals},
                   {"bytes", s.bytes},
                   {"entries", s.entries},
                   {"budgetBytes", s.budget_bytes},
                   {"maxEntries", s.max_entries},
                   {"pinnedBytes", s.pinned_bytes},
                   {"reservedBytes", s.reserved_bytes},
                   {"evictions",
                    {{"size", s.evictions_size},
                     {"expired", s.evictions_expired},
                     {"invalidated", s.evictions_invalidated}}},
                   {"second",
                    {{"hits", s.second_hits},
                     {"misses", s.second_misses},
                     {"errors", s.second_errors},
                     {"bytesRead", s.second_bytes_read},
                     {"bytesWritten", s.second_bytes_written}}}});
}

}  // namespace

extern "C" {

int32_t mediagen_cache_open(uint32_t abi, mediagen_str config_json, mediagen_cache** out,
                            mediagen_error** err) {
  return Guard(err, {Need("config_json", config_json), Out("out", out)}, [&]() -> Status {
    RETURN_IF_ERROR(CheckAbi(abi));
    ASSIGN_OR_RETURN(auto cache, OpenCacheAlone(View(config_json)));
    *out = new mediagen_cache(std::move(cache));
    return OkStatus();
  });
}

void mediagen_cache_free(mediagen_cache* cache) { Free(cache); }

int32_t mediagen_cache_get(mediagen_cache* cache, mediagen_str key, mediagen_buffer** value) {
  return Guard(nullptr, {Need("cache", cache), Need("key", key), Out("value", value)}, [&] {
    *value = Export(cache->cache->Get(View(key)));
    return *value != nullptr ? MEDIAGEN_OK : MEDIAGEN_EMPTY;
  });
}

int32_t mediagen_cache_put(mediagen_cache* cache, mediagen_str key, mediagen_str value,
                           const mediagen_entry_options* options, mediagen_str tags, int32_t* admission,
                           mediagen_error** err) {
  return Guard(err, {Need("cache", cache), Need("key", key), Need("value", value), Need("tags", tags)},
               [&]() -> Status {
                 ASSIGN_OR_RETURN(const EntryOptions parsed, ParseOptions(options, tags));
                 Admission admitted = cache->cache->Put(View(key), BufferRef::Copy(View(value)), parsed);
                 if (admission != nullptr) *admission = static_cast<int32_t>(admitted);
                 return OkStatus();
               });
}

int32_t mediagen_cache_remove(mediagen_cache* cache, mediagen_str key) {
  return Guard(nullptr, {Need("cache", cache), Need("key", key)},
               [&] { return cache->cache->Remove(View(key)) ? MEDIAGEN_OK : MEDIAGEN_EMPTY; });
}

int32_t mediagen_cache_invalidate(mediagen_cache* cache, mediagen_str tag) {
  return Guard(nullptr, {Need("cache", cache), Need("tag", tag)}, [&] {
    cache->cache->Invalidate(View(tag));
    return MEDIAGEN_OK;
  });
}

int32_t mediagen_cache_invalidate_prefix(mediagen_cache* cache, mediagen_str prefix) {
  return Guard(nullptr, {Need("cache", cache), Need("prefix", prefix)}, [&] {
    cache->cache->InvalidatePrefix(View(prefix));
    return MEDIAGEN_OK;
  });
}

int32_t mediagen_cache_clear(mediagen_cache* cache) {
  return Guard(nullptr, {Need("cache", cache)}, [&] {
    cache->cache->Clear();
    return MEDIAGEN_OK;
  });
}

int32_t mediagen_cache_versioned_key(mediagen_str key, mediagen_str version, mediagen_buffer** out) {
  return Guard(nullptr, {Need("key", key), Need("version", version), Out("out", out)}, [&] {
    *out = Export(BufferRef::Own(VersionedKey(View(key), View(version))));
    return MEDIAGEN_OK;
  });
}

int32_t mediagen_cache_get_or_begin(mediagen_cache* cache, mediagen_str key, int64_t load_timeout_ms,
                                    uint64_t* token, int32_t* stale, mediagen_inbox* inbox, uint64_t tag,
                                    mediagen_buffer** value, mediagen_call** pending, mediagen_error** err) {
  return Guard(
      err,
      {Need("cache", cache), Need("key", key), Need("token", token), Allow("inbox", inbox),
       Out("value", value), Out("pending", pending)},
      [&]() -> StatusOr<int32_t> {
        *token = 0;
        if (stale != nullptr) *stale = 0;
        if (load_timeout_ms <= 0) {
          return Error(Code::kInvalid,
                       fmt::format("\"load_timeout_ms\" is {}; it must be positive.", load_timeout_ms));
        }
        auto call = std::make_shared<Call>(Share(inbox), tag);
        Cache::Lookup found = cache->cache->GetOrLoad(View(key), load_timeout_ms, CompleteWith(call));
        switch (found.kind) {
          case Cache::Lookup::kHit:
          case Cache::Lookup::kNegative:
            *token = found.token;
            if (stale != nullptr) *stale = found.stale ? 1 : 0;
            *value = Export(std::move(found.value));
            return found.kind == Cache::Lookup::kHit ? MEDIAGEN_OK : MEDIAGEN_EMPTY;
          case Cache::Lookup::kLoad:
            *token = found.token;
            return MEDIAGEN_LOAD;
          case Cache::Lookup::kWait:
            break;
        }
        cache->cache->Sweep();  // the load that this caller would wait for may be overdue
        ASSIGN_OR_RETURN(int32_t state, Wait(cache->cache, found.token, call, inbox, pending));
        if (state == MEDIAGEN_PENDING) return state;
        // It has ended meanwhile.
        delete std::exchange(*pending, nullptr);
        Call::Result result = *call->result();
        *token = result.load_token;
        *value = Export(std::move(result.buffer));
        if (result.load_token != 0) return MEDIAGEN_LOAD;
        return *value != nullptr ? MEDIAGEN_OK : MEDIAGEN_EMPTY;
      });
}

uint64_t mediagen_call_token(const mediagen_call* call) {
  if (call == nullptr || call->fork.forked()) return 0;
  std::optional<Call::Result> result = call->call->result();
  return result ? result->load_token : 0;
}

int32_t mediagen_cache_reserve(mediagen_cache* cache, uint64_t token, uint64_t bytes, mediagen_error** err) {
  return Guard(err, {Need("cache", cache)}, [&] { return cache->cache->Reserve(token, bytes); });
}

int32_t mediagen_cache_fill(mediagen_cache* cache, uint64_t token, mediagen_str value,
                            const mediagen_entry_options* options, mediagen_str tags, mediagen_error** err) {
  return Guard(err, {Need("cache", cache), Need("value", value), Need("tags", tags)}, [&]() -> Status {
    ASSIGN_OR_RETURN(const EntryOptions parsed, ParseOptions(options, tags));
    return cache->cache->Fill(token, BufferRef::Copy(View(value)), parsed);
  });
}

int32_t mediagen_cache_fail(mediagen_cache* cache, uint64_t token, mediagen_str message,
                            mediagen_error** err) {
  return Guard(err, {Need("cache", cache), Need("message", message)}, [&]() -> Status {
    std::string text = message.size == 0 ? "The load of this value failed." : Shorten(View(message), 1024);
    return cache->cache->Fail(token, Error(Code::kUnavailable, std::move(text)));
  });
}

int32_t mediagen_cache_abandon(mediagen_cache* cache, uint64_t token, mediagen_error** err) {
  return Guard(err, {Need("cache", cache)}, [&] { return cache->cache->Abandon(token); });
}

int32_t mediagen_cache_stats(mediagen_cache* cache, mediagen_buffer** out) {
  return Guard(nullptr, {Need("cache", cache), Out("out", out)}, [&] {
    *out = Export(BufferRef::Own(StatsDocument(cache->cache->Stats())));
    return MEDIAGEN_OK;
  });
}

}  // extern "C"
