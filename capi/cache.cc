#include "mediagen/cache.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "capi/begin.h"
#include "capi/guard.h"
#include "fmt/format.h"

using namespace mediagen;
using namespace mediagen::capi;

namespace {

StatusOr<EntryOptions> ParseOptions(int64_t ttl_ms, mediagen_str tags) {
  if (ttl_ms < 0)
    return Error(Code::kInvalid,
                 fmt::format("\"ttl_ms\" is {}; 0 is for ever, else it is positive.", ttl_ms));
  EntryOptions options;
  options.ttl_ms = ttl_ms;
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
      call->Complete(std::move(outcome.status), std::move(outcome.value));
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
  return fmt::format(
      R"({{"hits":{},"misses":{},"loads":{},"loadFailures":{},"refusals":{},"bytes":{},"entries":{},"budgetBytes":{},"pinnedBytes":{},)"
      R"("evictions":{{"size":{},"expired":{},"invalidated":{}}}}})",
      s.hits, s.misses, s.loads, s.load_failures, s.refusals, s.bytes, s.entries, s.budget_bytes,
      s.pinned_bytes, s.evictions_size, s.evictions_expired, s.evictions_invalidated);
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

int32_t mediagen_cache_put(mediagen_cache* cache, mediagen_str key, mediagen_str value, int64_t ttl_ms,
                           mediagen_str tags, int32_t* admission, mediagen_error** err) {
  return Guard(err, {Need("cache", cache), Need("key", key), Need("value", value), Need("tags", tags)},
               [&]() -> Status {
                 ASSIGN_OR_RETURN(EntryOptions options, ParseOptions(ttl_ms, tags));
                 Admission admitted = cache->cache->Put(View(key), BufferRef::Copy(View(value)), options);
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

int32_t mediagen_cache_get_or_begin(mediagen_cache* cache, mediagen_str key, int64_t load_timeout_ms,
                                    uint64_t* token, mediagen_inbox* inbox, uint64_t tag,
                                    mediagen_buffer** value, mediagen_call** pending, mediagen_error** err) {
  return Guard(
      err,
      {Need("cache", cache), Need("key", key), Need("token", token), Allow("inbox", inbox),
       Out("value", value), Out("pending", pending)},
      [&]() -> StatusOr<int32_t> {
        *token = 0;
        if (load_timeout_ms <= 0) {
          return Error(Code::kInvalid,
                       fmt::format("\"load_timeout_ms\" is {}; it must be positive.", load_timeout_ms));
        }
        auto call = std::make_shared<Call>(Share(inbox), tag);
        Cache::Lookup found = cache->cache->GetOrLoad(View(key), load_timeout_ms, CompleteWith(call));
        switch (found.kind) {
          case Cache::Lookup::kHit:
            *value = Export(std::move(found.value));
            return MEDIAGEN_OK;
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
        return result.load_token != 0 ? MEDIAGEN_LOAD : MEDIAGEN_OK;
      });
}

uint64_t mediagen_call_token(const mediagen_call* call) {
  if (call == nullptr || call->fork.forked()) return 0;
  std::optional<Call::Result> result = call->call->result();
  return result ? result->load_token : 0;
}

int32_t mediagen_cache_fill(mediagen_cache* cache, uint64_t token, mediagen_str value, int64_t ttl_ms,
                            mediagen_str tags, mediagen_error** err) {
  return Guard(err, {Need("cache", cache), Need("value", value), Need("tags", tags)}, [&]() -> Status {
    ASSIGN_OR_RETURN(EntryOptions options, ParseOptions(ttl_ms, tags));
    return cache->cache->Fill(token, BufferRef::Copy(View(value)), options);
  });
}

int32_t mediagen_cache_fail(mediagen_cache* cache, uint64_t token, mediagen_str message,
                            mediagen_error** err) {
  return Guard(err, {Need("cache", cache), Need("message", message)}, [&]() -> Status {
    std::string text = message.size == 0 ? "The load of this value failed." : Shorten(View(message), 1024);
    return cache->cache->Fail(token, Error(Code::kUnavailable, std::move(text)));
  });
}

int32_t mediagen_cache_stats(mediagen_cache* cache, mediagen_buffer** out) {
  return Guard(nullptr, {Need("cache", cache), Out("out", out)}, [&] {
    *out = Export(BufferRef::Own(StatsDocument(cache->cache->Stats())));
    return MEDIAGEN_OK;
  });
}

}  // extern "C"
