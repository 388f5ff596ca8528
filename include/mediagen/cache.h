/* mediagen: the cache, refcounted bytes by key within a budget, with single-flight loads and no callbacks.
 * Get and put are plain synchronous functions. */
#ifndef MEDIAGEN_CACHE_H
#define MEDIAGEN_CACHE_H

#include "call.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  MEDIAGEN_ADMITTED = 0,       /* stored */
  MEDIAGEN_REFUSED = 1,        /* the policy preferred what is there; not an error */
  MEDIAGEN_ENTRY_TOO_LARGE = 2 /* over the largest entry that the budget allows */
};

/* `config_json` is {"bytes": 52428800}, every key optional. Starts no thread, creates no file. */
MEDIAGEN_API int32_t mediagen_cache_open(uint32_t abi, mediagen_str config_json, mediagen_cache **out,
                                         mediagen_error **err);
MEDIAGEN_API void mediagen_cache_free(mediagen_cache *cache);

/* MEDIAGEN_OK with the value (the caller frees it; the bytes are the cache's own, not a copy), or
 * MEDIAGEN_EMPTY. Never blocks. */
MEDIAGEN_API int32_t mediagen_cache_get(mediagen_cache *cache, mediagen_str key, mediagen_buffer **value);
/* Copies `value` in. ttl_ms 0: no expiry. `tags` are separated by '\n'. *admission (may be NULL) says what
 * became of it. */
MEDIAGEN_API int32_t mediagen_cache_put(mediagen_cache *cache, mediagen_str key, mediagen_str value,
                                        int64_t ttl_ms, mediagen_str tags, int32_t *admission,
                                        mediagen_error **err);
/* MEDIAGEN_OK, or MEDIAGEN_EMPTY when nothing was there. */
MEDIAGEN_API int32_t mediagen_cache_remove(mediagen_cache *cache, mediagen_str key);
/* Drops every entry with this tag, those being loaded at this moment included. */
MEDIAGEN_API int32_t mediagen_cache_invalidate(mediagen_cache *cache, mediagen_str tag);

/* MEDIAGEN_OK: a hit, *value. MEDIAGEN_LOAD: this caller loads the value and ends it with mediagen_cache_fill
 * or _fail, within load_timeout_ms, showing *token. MEDIAGEN_PENDING: somebody loads it; *pending ends with
 * the value, the loader's error, or MEDIAGEN_LOAD when the loader was too slow (mediagen_call_token).
 *
 * A cache has no thread: that a loader is too slow is noticed by mediagen_call_wait, by mediagen_inbox_next
 * and by the next lookup. A loop that only watches the descriptor asks its inbox once load_timeout_ms has
 * passed. */
MEDIAGEN_API int32_t mediagen_cache_get_or_begin(mediagen_cache *cache, mediagen_str key,
                                                 int64_t load_timeout_ms, uint64_t *token,
                                                 mediagen_inbox *inbox, uint64_t tag, mediagen_buffer **value,
                                                 mediagen_call **pending, mediagen_error **err);
/* The token of a call that ended in MEDIAGEN_LOAD; 0 for any other. */
MEDIAGEN_API uint64_t mediagen_call_token(const mediagen_call *call);
/* MEDIAGEN_STALE: the load had expired (nothing happened) or its key was invalidated meanwhile (waiters got
 * the value, nothing is stored). */
MEDIAGEN_API int32_t mediagen_cache_fill(mediagen_cache *cache, uint64_t token, mediagen_str value,
                                         int64_t ttl_ms, mediagen_str tags, mediagen_error **err);

/* Ends the load with an error: the waiters get MEDIAGEN_UNAVAILABLE with `message`. MEDIAGEN_STALE: the load
 * had expired. */
MEDIAGEN_API int32_t mediagen_cache_fail(mediagen_cache *cache, uint64_t token, mediagen_str message,
                                         mediagen_error **err);

/* {"hits", "misses", "loads", "loadFailures", "refusals", "bytes", "entries", "budgetBytes", "pinnedBytes",
 * "evictions": {"size", "expired", "invalidated"}} */
MEDIAGEN_API int32_t mediagen_cache_stats(mediagen_cache *cache, mediagen_buffer **out);

#ifdef __cplusplus
}
#endif
#endif
