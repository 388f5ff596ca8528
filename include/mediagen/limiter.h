/* mediagen: the rate limiter. GCRA, and the exact window where a limit is at most 32: never more than N in
 * any window. Several rules are decided in one atomic step: what one of them refuses, none is charged. All
 * functions are thread-safe. With "url": "memory:" none of them blocks; with "redis://…" the plain ones wait
 * for at most the URL's timeoutMs, and the *_begin forms never do. */
#ifndef MEDIAGEN_LIMITER_H
#define MEDIAGEN_LIMITER_H

#include "call.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `config_json` is {"rules": {"generations": "5/min", "per address": "100/10s"}, "url": "memory:",
 * "maxKeys": 1048576}. A rule is a count, a slash and a window: s, min, h, d, or a number of them. maxKeys
 * bounds the memory (some 18 bytes a key, 16 + 4 N where the limit N is at most 32): a full table forgets no
 * key that is limited, it refuses new ones with MEDIAGEN_OVERLOADED. url: or
 * "redis://host:6379?onFailure=open|closed|local". Opening starts no thread and creates no file. */
MEDIAGEN_API int32_t mediagen_limiter_open(uint32_t abi, mediagen_str config_json, mediagen_limiter **out,
                                           mediagen_error **err);
MEDIAGEN_API void mediagen_limiter_free(mediagen_limiter *limiter);

/* What was decided, about the tightest of the rules that were asked: of those that refuse the one with the
 * longest retry, else the one with the least remaining. Set struct_size to sizeof(mediagen_decision) first:
 * no more than that is written. */
typedef struct mediagen_decision {
  size_t struct_size;
  int32_t allowed;        /* 1, or 0: refused, and nothing was charged */
  int32_t degraded;       /* 1: Redis was away, and this is what onFailure says */
  int64_t limit;          /* of the rule: this many … */
  int64_t window_ms;      /* … in any window of this length */
  int64_t remaining;      /* after this check */
  int64_t reset_after_ms; /* until the full limit is there again, if nothing more is taken */
  int64_t retry_after_ms; /* when refused: until the same check would be allowed; else 0 */
  mediagen_str rule;      /* its name; valid until the limiter is freed */
} mediagen_decision;

/* Decides, and charges `cost` when it is allowed. MEDIAGEN_OK when it was decided, either way. A cost of 0
 * takes nothing: a look. MEDIAGEN_NOT_FOUND: no such rule. MEDIAGEN_INVALID: a cost that the rule could never
 * allow. MEDIAGEN_OVERLOADED: no room for another key. MEDIAGEN_UNAVAILABLE: Redis is away, onFailure=closed.
 * An error charges nothing; mediagen_limiter_check_begin says it in words. */
MEDIAGEN_API int32_t mediagen_limiter_check(mediagen_limiter *limiter, mediagen_str rule, mediagen_str key,
                                            int64_t cost, mediagen_decision *out);
/* The same for several checks in one atomic step: "rule\tkey\tcost\n" each, at most 64, the last line feed
 * and
 * "\tcost" (1) optional. A key here holds no tab and no line feed. */
MEDIAGEN_API int32_t mediagen_limiter_check_all(mediagen_limiter *limiter, mediagen_str checks,
                                                mediagen_decision *tightest);
/* The same without ever waiting. The call's result is {"allowed", "degraded", "rule", "limit", "windowMs",
 * "remaining", "resetAfterMs", "retryAfterMs"}. */
MEDIAGEN_API int32_t mediagen_limiter_check_begin(mediagen_limiter *limiter, mediagen_str checks,
                                                  mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                  mediagen_error **err);
/* Gives back what allowed checks took, never above the limit. It does not say which: where that matters,
 * reserve. */
MEDIAGEN_API int32_t mediagen_limiter_refund(mediagen_limiter *limiter, mediagen_str checks,
                                             mediagen_error **err);

/* Checks, and when allowed *lease is the receipt for what was taken: a short text that the host may store
 * (its writer can give back what others were charged, so no client should hold one). NULL when refused. */
MEDIAGEN_API int32_t mediagen_limiter_reserve(mediagen_limiter *limiter, mediagen_str checks,
                                              mediagen_decision *tightest, mediagen_buffer **lease,
                                              mediagen_error **err);
/* What was reserved was done, so it stays charged: checks the lease and no more. A lease that is neither
 * committed nor refunded stays charged, too. */
MEDIAGEN_API int32_t mediagen_limiter_commit(mediagen_limiter *limiter, mediagen_str lease,
                                             mediagen_error **err);
/* Gives back exactly what the lease took and what of it still counts, once, however often it is called.
 * MEDIAGEN_EMPTY: nothing was given back, for it was before, has run out, or another limiter took it.
 * MEDIAGEN_INVALID: not a lease. */
MEDIAGEN_API int32_t mediagen_limiter_refund_lease(mediagen_limiter *limiter, mediagen_str lease,
                                                   mediagen_error **err);
/* The same without ever waiting: the result of reserve_begin is that of check_begin with "lease" (null when
 * refused), that of refund_lease_begin {"refunded": true}. */
MEDIAGEN_API int32_t mediagen_limiter_reserve_begin(mediagen_limiter *limiter, mediagen_str checks,
                                                    mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                    mediagen_error **err);
MEDIAGEN_API int32_t mediagen_limiter_refund_lease_begin(mediagen_limiter *limiter, mediagen_str lease,
                                                         mediagen_inbox *inbox, uint64_t tag,
                                                         mediagen_call **out, mediagen_error **err);

/* {"allowed", "refused", "overloaded", "degraded", "failures", "keys", "maxKeys", "bytes"}, since it was
 * opened. */
MEDIAGEN_API int32_t mediagen_limiter_stats(mediagen_limiter *limiter, mediagen_buffer **out);

#ifdef __cplusplus
}
#endif
#endif
