/* mediagen: calls and inboxes, the one way in which operations end.
 *
 * Whatever may touch disk, network or decoding is a *_begin(…, inbox, tag, &call, &err). It answers
 *   MEDIAGEN_OK       the operation is finished: take the result now; no DONE follows,
 *   MEDIAGEN_PENDING  exactly one DONE with `tag` arrives in `inbox`,
 *   an error          nothing was begun; *out is NULL.
 * A thread that reads the inbox may see the DONE before the thread that began has its answer: `tag` is what
 * they share. `inbox` may be NULL: then only mediagen_call_wait tells. After mediagen_call_free nothing with
 * its tag arrives any more. */
#ifndef MEDIAGEN_CALL_H
#define MEDIAGEN_CALL_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What mediagen_inbox_next reports. */
enum {
  MEDIAGEN_KIND_EMPTY = 0,    /* nothing now; the descriptor is armed again */
  MEDIAGEN_KIND_DONE = 1,     /* the call has ended: mediagen_call_result */
  MEDIAGEN_KIND_HEAD = 2,     /* mediagen_response_head is ready */
  MEDIAGEN_KIND_READABLE = 3, /* mediagen_response_body has more, after it said MEDIAGEN_EMPTY */
  MEDIAGEN_KIND_WRITABLE = 4, /* mediagen_call_write takes more, after it took less than all */
  MEDIAGEN_KIND_EVENT = 5     /* `event` holds one event document of a subscription */
};

/* One inbox for one host event loop. It carries any number of calls and subscriptions by tag, belongs to no
 * engine and outlives them. */
MEDIAGEN_API int32_t mediagen_inbox_new(mediagen_inbox **out, mediagen_error **err);
/* A pipe's read end, readable when something arrives after the inbox was empty. Owned by the library: watch
 * it, dup it, never close it. Host or library may consume the byte. -1 in a forked child. */
MEDIAGEN_API int mediagen_inbox_fd(const mediagen_inbox *inbox);
/* Never blocks. Sets *tag, *kind and, for EVENT, *event (the caller frees it; NULL otherwise). Call it until
 * it says MEDIAGEN_KIND_EMPTY. */
MEDIAGEN_API int32_t mediagen_inbox_next(mediagen_inbox *inbox, uint64_t *tag, int32_t *kind,
                                         mediagen_buffer **event);
MEDIAGEN_API void mediagen_inbox_free(mediagen_inbox *inbox);

/* Waits until the call has ended: MEDIAGEN_OK, MEDIAGEN_TIMEOUT (still under way), or the call's own error.
 * timeout_ms < 0 waits for ever. With "workers": "manual" it drives the engine on this thread meanwhile. */
MEDIAGEN_API int32_t mediagen_call_wait(mediagen_call *call, int64_t timeout_ms, mediagen_error **err);
/* The result document: MEDIAGEN_OK with a buffer that the caller frees (NULL where an operation has no
 * result), MEDIAGEN_PENDING while under way, MEDIAGEN_LOAD where a cache lookup's waiter was promoted
 * (mediagen_call_token), or the call's error. May be asked any number of times. */
MEDIAGEN_API int32_t mediagen_call_result(mediagen_call *call, mediagen_buffer **out, mediagen_error **err);
/* Gives up waiting: the call ends with MEDIAGEN_CANCELED, unless it has ended already. It never cancels a
 * generation or undoes what was committed. */
MEDIAGEN_API void mediagen_call_cancel(mediagen_call *call);
/* Cancels what is still under way, and takes back the notices that were not read. */
MEDIAGEN_API void mediagen_call_free(mediagen_call *call);

#ifdef __cplusplus
}
#endif
#endif
