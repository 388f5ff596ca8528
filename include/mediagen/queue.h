/* mediagen: the job queue, for work that the host does itself (email, notifications, its own providers). Jobs
 * survive crashes; a claim is a lease that the library renews. */
#ifndef MEDIAGEN_QUEUE_H
#define MEDIAGEN_QUEUE_H

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The queue alone: {"dataDir": …, "queues": {"email": {"concurrency": 4, …}}}; or that of an engine. One
 * handle is one worker. */
MEDIAGEN_API int32_t mediagen_queue_open(uint32_t abi, mediagen_str config_json, mediagen_queue **out,
                                         mediagen_error **err);
MEDIAGEN_API int32_t mediagen_engine_queue(mediagen_engine *engine, mediagen_queue **out,
                                           mediagen_error **err);
MEDIAGEN_API void mediagen_queue_free(mediagen_queue *queue);

/* {"queue": "email", "kind": "send", "payload": {…}, "user", "priority", "runAt", "timeoutMs", "uniqueKey",
 * "keys": {"provider"}} or an array of up to 1,000 in one transaction. The result is {"jobs": [ids]}; a job
 * whose uniqueKey is held already answers the holder's id. */
MEDIAGEN_API int32_t mediagen_queue_enqueue_begin(mediagen_queue *queue, mediagen_str jobs,
                                                  mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                  mediagen_error **err);
/* Waits for work in the queues of `names` (separated by commas), then claims up to `max` (1–100) jobs: the
 * result is an array of job documents, each with its fence. Jobs whose call is freed before its result was
 * asked for are handed back at once. mediagen's own queues ("generate", "media") are MEDIAGEN_FORBIDDEN. */
MEDIAGEN_API int32_t mediagen_queue_claim_begin(mediagen_queue *queue, mediagen_str names, int32_t max,
                                                mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                mediagen_error **err);
/* "I am still at it", needed only when a job outlasts its timeoutMs. MEDIAGEN_STALE_FENCE: the job is
 * somebody else's by now. */
MEDIAGEN_API int32_t mediagen_queue_heartbeat_begin(mediagen_queue *queue, mediagen_str id, uint64_t fence,
                                                    mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                    mediagen_error **err);
/* {"fraction": 0.4, "current": 2, "total": 5, "message": "…"}; a heartbeat, too. */
MEDIAGEN_API int32_t mediagen_queue_progress_begin(mediagen_queue *queue, mediagen_str id, uint64_t fence,
                                                   mediagen_str progress, mediagen_inbox *inbox, uint64_t tag,
                                                   mediagen_call **out, mediagen_error **err);
/* {"outcome": "done", "result": {…}} | {"outcome": "retry", "afterMs": 5000, "reason": "smtp 421"} |
 * {"outcome": "defer", "afterMs": …} | {"outcome": "discard", "reason": …} | {"outcome": "cancel"} */
MEDIAGEN_API int32_t mediagen_queue_finish_begin(mediagen_queue *queue, mediagen_str id, uint64_t fence,
                                                 mediagen_str outcome, mediagen_inbox *inbox, uint64_t tag,
                                                 mediagen_call **out, mediagen_error **err);
/* The job document. */
MEDIAGEN_API int32_t mediagen_queue_get_begin(mediagen_queue *queue, mediagen_str id, mediagen_inbox *inbox,
                                              uint64_t tag, mediagen_call **out, mediagen_error **err);
/* A waiting job is canceled at once; a running one is asked to. The result is the job document. */
MEDIAGEN_API int32_t mediagen_queue_cancel_begin(mediagen_queue *queue, mediagen_str id,
                                                 mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                 mediagen_error **err);

#ifdef __cplusplus
}
#endif
#endif
