/* mediagen: one HTTP-shaped request in, one response out. Any framework can mount it; docs/http.md lists the
 * routes.
 *
 * The life of a request:
 *   mediagen_handle_begin → (methods other than GET and HEAD: mediagen_call_write … mediagen_call_end) → HEAD
 * → mediagen_response_head → mediagen_response_body … → DONE. When mediagen_handle_begin answers MEDIAGEN_OK,
 * head and body are there already and nothing follows. A client that goes away: mediagen_call_free. */
#ifndef MEDIAGEN_HTTP_H
#define MEDIAGEN_HTTP_H

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  MEDIAGEN_BODY_NONE = 0,  /* no body (HEAD, 304 …), or the end of a stream */
  MEDIAGEN_BODY_BYTES = 1, /* `length` bytes of `buffer` from `offset`: the whole body */
  MEDIAGEN_BODY_FILE = 2,  /* `length` bytes of the open file `fd` from `offset`: the whole body */
  MEDIAGEN_BODY_STREAM = 3 /* all of `buffer`: the next piece of a stream; ask again */
};

typedef struct mediagen_body {
  size_t struct_size; /* in: sizeof(mediagen_body) */
  int32_t kind;
  int32_t fd;              /* FILE: the caller's, to be closed; -1 otherwise */
  mediagen_buffer *buffer; /* BYTES, STREAM: the caller's, to be freed; NULL otherwise */
  uint64_t offset, length;
} mediagen_body;

/* `target` is the request target with its query; `headers` is "name: value\r\n"…; `principal` is {"user",
 * "groups", "roles", "ip", "auth"} or "" for the host itself; `mount` is the path prefix under which the host
 * has mounted this surface ("" or "/api"): it is cut from the target and put before URLs in answers. */
MEDIAGEN_API int32_t mediagen_handle_begin(mediagen_engine *engine, mediagen_str method, mediagen_str target,
                                           mediagen_str headers, mediagen_str principal, mediagen_str mount,
                                           mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                           mediagen_error **err);
/* A signed URL: whoever has it may GET this picture or video for ttl_ms (rounded up to the hour, so that the
 * same URL is made again and again), without signing in, in any size and format that its parameters ask for.
 * `target` is a path of docs/http.md below `mount` with its query ("/v1/images/ID/image?w=800&format=webp",
 * or a URL out of a record), `method` "GET". *out is the URL, to be freed. Thread-safe, never blocks.
 * MEDIAGEN_INVALID for what can't be signed. */
MEDIAGEN_API int32_t mediagen_sign_url(mediagen_engine *engine, mediagen_str method, mediagen_str target,
                                       mediagen_str mount, int64_t ttl_ms, mediagen_buffer **out,
                                       mediagen_error **err);
/* Gives a piece of the request's body; *taken is how much of it was taken. Less than all: WRITABLE follows.
 * MEDIAGEN_CLOSED when the answer is there already (a body that is too large is answered before its end, and
 * what follows is swallowed until then). MEDIAGEN_OVERLOADED: too many bodies are being received at once; it
 * is the call's end, too. MEDIAGEN_INVALID for GET, HEAD, and after mediagen_call_end. */
MEDIAGEN_API int32_t mediagen_call_write(mediagen_call *call, mediagen_str chunk, size_t *taken);
/* The request's body is complete. Nothing to say for GET and HEAD, where it does nothing. */
MEDIAGEN_API int32_t mediagen_call_end(mediagen_call *call);

/* After HEAD (or OK). `headers` is "name: value\r\n"…, valid until the call is freed. MEDIAGEN_PENDING when
 * it is too early; the call's error when it was canceled or its engine has closed. */
MEDIAGEN_API int32_t mediagen_response_head(mediagen_call *call, int32_t *status, mediagen_str *headers);
/* The body, or its next piece. BYTES and FILE are handed over once; NONE follows them, and the end of a
 * stream (whose DONE it brings). MEDIAGEN_EMPTY: none yet, READABLE follows (it may also come once too
 * often). MEDIAGEN_PENDING: there is no head yet. */
MEDIAGEN_API int32_t mediagen_response_body(mediagen_call *call, mediagen_body *out);

#ifdef __cplusplus
}
#endif
#endif
