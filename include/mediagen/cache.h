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

/* `config_json` is {"bytes": 52428800, "entries": 0, "largestEntry": 0.125, "policy": "tinylfu",
 * "negativeTtlMs": 5000}, every key optional. entries 0: bounded by bytes alone. largestEntry: the share of
 * the bytes that one entry may have; without it an eighth, at most 16 MiB. policy: "tinylfu", "lru" or
 * "s3fifo". Starts no thread, creates no file. */
MEDIAGEN_API int32_t mediagen_cache_open(uint32_t abi, mediagen_str config_json, mediagen_cache **out,
                                         mediagen_error **err);
MEDIAGEN_API void mediagen_cache_free(mediagen_cache *cache);

enum {
  MEDIAGEN_ENTRY_NEGATIVE = 1, /* "there is nothing under this key"; the value may be empty */
  MEDIAGEN_ENTRY_VERSIONED = 2 /* the key names its content: served also when the invalidations of other
                                  processes cannot be heard */
};

/* How an entry is kept. Set all to 0, then struct_size to sizeof(mediagen_entry_options), then what is
 * wanted. NULL in its place means all 0. */
typedef struct mediagen_entry_options {
  size_t struct_size;
  int64_t ttl_ms;      /* then the entry is gone; 0: no expiry (a negative one: the cache's negativeTtlMs) */
  int64_t soft_ttl_ms; /* then it is stale: still answered by mediagen_cache_get_or_begin, and one caller is
                          asked to refresh it; 0: as ttl_ms */
  double jitter;       /* 0 to 1: both are shortened by a random share of up to this */
  double cost;         /* of making it again, > 0; weighs in what is kept; 0: 1 */
  uint32_t flags;      /* MEDIAGEN_ENTRY_* */
} mediagen_entry_options;

/* MEDIAGEN_OK with the value (the caller frees it; the bytes are the cache's own, not a copy), or
 * MEDIAGEN_EMPTY: nothing there, or it is stale or negative. Never blocks. */
MEDIAGEN_API int32_t mediagen_cache_get(mediagen_cache *cache, mediagen_str key, mediagen_buffer **value);
/* Copies `value` in. `tags` are separated by '\n'. *admission (may be NULL) says what became of it. */
MEDIAGEN_API int32_t mediagen_cache_put(mediagen_cache *cache, mediagen_str key, mediagen_str value,
                                        const mediagen_entry_options *options, mediagen_str tags,
                                        int32_t *admission, mediagen_error **err);
/* MEDIAGEN_OK, or MEDIAGEN_EMPTY when nothing was there. */
MEDIAGEN_API int32_t mediagen_cache_remove(mediagen_cache *cache, mediagen_str key);
/* Drops every entry with this tag, or whose key begins with this prefix, those being loaded at this moment
 * included. */
MEDIAGEN_API int32_t mediagen_cache_invalidate(mediagen_cache *cache, mediagen_str tag);
MEDIAGEN_API int32_t mediagen_cache_invalidate_prefix(mediagen_cache *cache, mediagen_str prefix);
MEDIAGEN_API int32_t mediagen_cache_clear(mediagen_cache *cache);

/* The key of one version of `key`'s content, which no other pair has: what is asked for with the current
 * version is never answered with an older one. */
MEDIAGEN_API int32_t mediagen_cache_versioned_key(mediagen_str key, mediagen_str version,
                                                  mediagen_buffer **out);

/* MEDIAGEN_OK: a hit, *value. When *stale is set (`stale` may be NULL), it is past its soft ttl; with a
 * *token other than 0 this caller is the one to refresh it, as if it had been told to load. MEDIAGEN_EMPTY: a
 * negative entry; *value is what was put. MEDIAGEN_LOAD: this caller loads the value and ends that with
 * mediagen_cache_fill, _fail or _abandon, within load_timeout_ms, showing *token. MEDIAGEN_PENDING: somebody
 * loads it; *pending ends with the value (NULL: a negative one), the loader's error, or MEDIAGEN_LOAD when
 * the loader was too slow or gave up (mediagen_call_token). How long a caller waits is its own affair:
 * mediagen_call_wait with a time, then mediagen_call_cancel.
 *
 * A cache has no thread: that a loader is too slow is noticed by mediagen_call_wait, by mediagen_inbox_next
 * and by the next lookup. A loop that only watches the descriptor asks its inbox once load_timeout_ms has
 * passed. */
MEDIAGEN_API int32_t mediagen_cache_get_or_begin(mediagen_cache *cache, mediagen_str key,
                                                 int64_t load_timeout_ms, uint64_t *token, int32_t *stale,
                                                 mediagen_inbox *inbox, uint64_t tag, mediagen_buffer **value,
                                                 mediagen_call **pending, mediagen_error **err);
/* The token of a call that ended in MEDIAGEN_LOAD; 0 for any other. */
MEDIAGEN_API uint64_t mediagen_call_token(const mediagen_call *call);
/* Before the bytes of a load are made: charges `bytes` to the budget until the load ends, so that what is
 * being loaded is within it, too. MEDIAGEN_OVERLOADED: there is no room now; MEDIAGEN_TOO_LARGE: no such
 * value would be kept; MEDIAGEN_STALE: the load had expired. */
MEDIAGEN_API int32_t mediagen_cache_reserve(mediagen_cache *cache, uint64_t token, uint64_t bytes,
                                            mediagen_error **err);
/* Ends a load. MEDIAGEN_STALE: the load had expired (nothing happened) or its key was invalidated meanwhile
 * (waiters got the value, nothing is stored). */
MEDIAGEN_API int32_t mediagen_cache_fill(mediagen_cache *cache, uint64_t token, mediagen_str value,
                                         const mediagen_entry_options *options, mediagen_str tags,
                                         mediagen_error **err);
/* Ends the load with an error: the waiters get MEDIAGEN_UNAVAILABLE with `message`; a stale value stays.
 * MEDIAGEN_STALE: the load had expired. */
MEDIAGEN_API int32_t mediagen_cache_fail(mediagen_cache *cache, uint64_t token, mediagen_str message,
                                         mediagen_error **err);
/* Gives the load up: the next who waits for it becomes the loader. MEDIAGEN_STALE: the load had expired. */
MEDIAGEN_API int32_t mediagen_cache_abandon(mediagen_cache *cache, uint64_t token, mediagen_error **err);

/* {"hits", "misses", "staleHits", "negativeHits", "hitRatio" (of the last five minutes; null without a
 * lookup), "loads", "loadFailures", "loadMs", "refusals", "bytes", "entries", "budgetBytes", "maxEntries",
 * "pinnedBytes", "reservedBytes", "evictions": {"size", "expired", "invalidated"}, "second": {"hits",
 * "misses", "errors", "bytesRead", "bytesWritten"}} */
MEDIAGEN_API int32_t mediagen_cache_stats(mediagen_cache *cache, mediagen_buffer **out);

#ifdef __cplusplus
}
#endif
#endif
