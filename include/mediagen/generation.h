/* mediagen: generations, from a prompt to stored pictures. */
#ifndef MEDIAGEN_GENERATION_H
#define MEDIAGEN_GENERATION_H

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Accepts a generation request document: when the call ends the request is durable and the result is its
 * record. The request names its `user`. A repeated idempotencyKey answers the first generation's record; with
 * another body it is MEDIAGEN_INVALID. */
MEDIAGEN_API int32_t mediagen_submit_begin(mediagen_engine *engine, mediagen_str request,
                                           mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                           mediagen_error **err);

/* Asks to cancel: the result is the record as it is then. What a provider was already paid for is stored all
 * the same. */
MEDIAGEN_API int32_t mediagen_cancel_begin(mediagen_engine *engine, mediagen_str principal, mediagen_str id,
                                           mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                           mediagen_error **err);
/* A generation that rests, tried again: new requests for the parts that failed, and for those whose outcome
 * is unknown, which may then be paid for a second time: that is the caller's decision. MEDIAGEN_CONFLICT when
 * it does not rest or nothing of it failed. The result is the record. */
MEDIAGEN_API int32_t mediagen_retry_begin(mediagen_engine *engine, mediagen_str principal, mediagen_str id,
                                          mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                          mediagen_error **err);
/* Takes what is unknown of a generation for failed and charged. MEDIAGEN_CONFLICT when nothing is unknown.
 * The result is the record. */
MEDIAGEN_API int32_t mediagen_abandon_begin(mediagen_engine *engine, mediagen_str principal, mediagen_str id,
                                            mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                            mediagen_error **err);

/* Ends when the generation rests (completed, failed, canceled or unknown); the result is its record. */
MEDIAGEN_API int32_t mediagen_await_begin(mediagen_engine *engine, mediagen_str principal, mediagen_str id,
                                          mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                          mediagen_error **err);

/* Stores a picture or video that somebody brings: what it is is found by looking at `bytes`, which are read
 * during this call only. `metadata` is "" or {"user", "visibility", "reuse"}; the user is the principal's, or
 * for the host itself the metadata's (without one the output is nobody's). With "reuse", which is true for a
 * principal and false for the host itself unless it is said, the result is the output of the same bytes that
 * this user has brought already. When the call ends it is durable; the result is the output's record, with
 * "source": "uploaded". A provider's worker finishes its job with such ids. MEDIAGEN_TOO_LARGE past
 * "media.maxUploadBytes"; MEDIAGEN_INVALID, MEDIAGEN_UNSUPPORTED for what is no whole picture of a type that
 * is stored. */
MEDIAGEN_API int32_t mediagen_upload_begin(mediagen_engine *engine, mediagen_str principal,
                                           mediagen_str metadata, mediagen_str bytes, mediagen_inbox *inbox,
                                           uint64_t tag, mediagen_call **out, mediagen_error **err);

#ifdef __cplusplus
}
#endif
#endif
