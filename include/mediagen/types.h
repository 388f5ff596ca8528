/* mediagen: types, codes, errors, buffers, versions. What every other header of the C ABI stands on.
 *
 * Rules that hold for every function:
 *  - Thread safety: any function may be called from any thread, on one handle at once, but a handle must not
 * be freed while another call uses it.
 *  - Strings in (mediagen_str) are borrowed for the call, UTF-8, and may hold NUL. {NULL, 0} is the empty
 * string. Documents are JSON.
 *  - A result is MEDIAGEN_OK (0), a positive state (MEDIAGEN_EMPTY …) or a negative code. A code that you do
 * not know means MEDIAGEN_INTERNAL.
 *  - `err` may be NULL. Otherwise it is set to NULL or, with a negative result, to an error that the caller
 * frees.
 *  - *_free takes NULL. Handles keep what they need alive: any order of freeing is legal.
 *  - In a forked child every handle of the parent answers MEDIAGEN_FORKED; freeing it there is safe and
 * leaks. Buffers and errors are plain memory: they stay readable and are freed as ever.
 *  - Nothing here calls back into the host, ever. */
#ifndef MEDIAGEN_TYPES_H
#define MEDIAGEN_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define MEDIAGEN_API __attribute__((visibility("default")))
#else
#define MEDIAGEN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The ABI that this header describes; 0 until 1.0: a break is a line in CHANGELOG.md. */
#define MEDIAGEN_ABI 0u

enum {
  MEDIAGEN_OK = 0,
  /* states, not errors */
  MEDIAGEN_EMPTY = 1,   /* nothing there now */
  MEDIAGEN_PENDING = 2, /* under way: exactly one MEDIAGEN_KIND_DONE follows in the inbox */
  MEDIAGEN_LOAD = 3,    /* a cache lookup: the caller is to load the value */
  MEDIAGEN_TIMEOUT = 4, /* a wait ended before its operation, which goes on */
  /* errors, in the order of the documents' list */
  MEDIAGEN_INVALID = -1,
  MEDIAGEN_NOT_FOUND = -2,
  MEDIAGEN_UNAUTHORIZED = -3,
  MEDIAGEN_FORBIDDEN = -4,
  MEDIAGEN_CONFLICT = -5,
  MEDIAGEN_RATE_LIMITED = -6,
  MEDIAGEN_BUDGET_EXCEEDED = -7,
  MEDIAGEN_OVERLOADED = -8,
  MEDIAGEN_UNAVAILABLE = -9,
  MEDIAGEN_UNSUPPORTED = -10,
  MEDIAGEN_TOO_LARGE = -11,
  MEDIAGEN_TIMED_OUT = -12,
  MEDIAGEN_CANCELED = -13,
  MEDIAGEN_FORKED = -14,
  MEDIAGEN_CLOSED = -15,
  MEDIAGEN_STALE_FENCE = -16,
  MEDIAGEN_STALE = -17,
  MEDIAGEN_UNKNOWN_OUTCOME = -18,
  MEDIAGEN_PROVIDER_REJECTED = -19,
  MEDIAGEN_SAFETY = -20,
  MEDIAGEN_STORAGE_FULL = -21,
  MEDIAGEN_CORRUPT = -22,
  MEDIAGEN_INTERNAL = -23
};

/* Borrowed bytes. */
typedef struct mediagen_str {
  const char *data;
  size_t size;
} mediagen_str;

typedef struct mediagen_buffer mediagen_buffer;
typedef struct mediagen_error mediagen_error;
typedef struct mediagen_inbox mediagen_inbox;
typedef struct mediagen_call mediagen_call;
typedef struct mediagen_engine mediagen_engine;
typedef struct mediagen_store mediagen_store;
typedef struct mediagen_queue mediagen_queue;
typedef struct mediagen_cache mediagen_cache;
typedef struct mediagen_limiter mediagen_limiter;
typedef struct mediagen_image mediagen_image;
typedef struct mediagen_animation mediagen_animation;

/* "0.1.0"; static storage. */
MEDIAGEN_API const char *mediagen_version(void);
/* The MEDIAGEN_ABI that the library was built with. */
MEDIAGEN_API uint32_t mediagen_abi(void);
/* "rate_limited" for MEDIAGEN_RATE_LIMITED; "internal" for a code that is not known. Static storage. */
MEDIAGEN_API const char *mediagen_code_name(int32_t code);

/* The error's code, and its document {"code","message","hint","retryAfterMs","object"}, valid until it is
 * freed. */
MEDIAGEN_API int32_t mediagen_error_code(const mediagen_error *error);
MEDIAGEN_API mediagen_str mediagen_error_json(const mediagen_error *error);
MEDIAGEN_API void mediagen_error_free(mediagen_error *error);

/* Immutable, refcounted bytes. The view is valid while the caller holds a reference. */
MEDIAGEN_API int32_t mediagen_buffer_copy(mediagen_str bytes, mediagen_buffer **out);
MEDIAGEN_API mediagen_str mediagen_buffer_view(const mediagen_buffer *buffer);
MEDIAGEN_API mediagen_buffer *mediagen_buffer_ref(mediagen_buffer *buffer);
MEDIAGEN_API void mediagen_buffer_free(mediagen_buffer *buffer);

#ifdef __cplusplus
}
#endif
#endif
