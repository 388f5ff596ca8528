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
 * "keys": {"provider", "model"}, "delayMs", "maxTries", "cost", "unique": {"key", "states", "periodMs"},
 * "children": [jobs], "onChildFailure": "fail" | "continue", "afterChildren": "run" | "done", "items": […],
 * "chunk", "parent"} or an array, up to 1,000 jobs in one transaction, children counted (docs/queue.md). The
 * result is {"jobs": [ids]}; a job whose unique key is held already answers the holder's id. */
MEDIAGEN_API int32_t mediagen_queue_enqueue_begin(mediagen_queue *queue, mediagen_str jobs,
                                                  mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                  mediagen_error **err);
/* Waits for work in the queues of `names` (separated by commas), then claims up to `max` (1–100) jobs: the
 * result is an array of job documents, each with its fence. Jobs whose call is freed before its result was
 * asked for are handed back at once. mediagen's own queues ("generate", "media") are MEDIAGEN_FORBIDDEN;
 * those of the host's own providers ("provider:<name>") are claimed like any other, and only added to by
 * mediagen. */
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
/* What the next try of this job finds as its "checkpoint": any JSON of up to 64 KB; a heartbeat, too. */
MEDIAGEN_API int32_t mediagen_queue_checkpoint_begin(mediagen_queue *queue, mediagen_str id, uint64_t fence,
                                                     mediagen_str checkpoint, mediagen_inbox *inbox,
                                                     uint64_t tag, mediagen_call **out, mediagen_error **err);
/* {"message": "…", "level": "debug" | "info" | "warning" | "error"}: one line of the job's log, of which the
 * last 1,000 are kept; a heartbeat, too. */
MEDIAGEN_API int32_t mediagen_queue_log_begin(mediagen_queue *queue, mediagen_str id, uint64_t fence,
                                              mediagen_str line, mediagen_inbox *inbox, uint64_t tag,
                                              mediagen_call **out, mediagen_error **err);
/* {"outcome": "done", "result": {…}} | {"outcome": "retry", "afterMs": 5000, "reason": "smtp 421"} |
 * {"outcome": "defer", "afterMs": …} | {"outcome": "discard", "reason": …} | {"outcome": "cancel"}. A result
 * of more than 64 KB, up to 16 MB, is stored as a blob in an engine; a queue alone takes 1 MB. */
MEDIAGEN_API int32_t mediagen_queue_finish_begin(mediagen_queue *queue, mediagen_str id, uint64_t fence,
                                                 mediagen_str outcome, mediagen_inbox *inbox, uint64_t tag,
                                                 mediagen_call **out, mediagen_error **err);
/* The job document. */
MEDIAGEN_API int32_t mediagen_queue_get_begin(mediagen_queue *queue, mediagen_str id, mediagen_inbox *inbox,
                                              uint64_t tag, mediagen_call **out, mediagen_error **err);
/* The whole result of a job, null when it has none; in the job document a large one is {"blob", "about"}. */
MEDIAGEN_API int32_t mediagen_queue_result_begin(mediagen_queue *queue, mediagen_str id,
                                                 mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                 mediagen_error **err);
/* A waiting job is canceled at once, with its children; a running one is asked to. The result is the job
 * document. */
MEDIAGEN_API int32_t mediagen_queue_cancel_begin(mediagen_queue *queue, mediagen_str id,
                                                 mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                 mediagen_error **err);

/* A dead job goes back to wait with its tries at 0; a dead parent takes the children with it that did not end
 * well. The result is the job document. MEDIAGEN_CONFLICT: it is not dead, or its unique key is taken. */
MEDIAGEN_API int32_t mediagen_queue_retry_begin(mediagen_queue *queue, mediagen_str id, mediagen_inbox *inbox,
                                                uint64_t tag, mediagen_call **out, mediagen_error **err);
/* {"queue": "email", "kind": …}: all dead jobs of the queue (of that kind). The result is {"retried": 12,
 * "inConflict": 0}: those whose unique key is taken stay dead. */
MEDIAGEN_API int32_t mediagen_queue_retry_all_begin(mediagen_queue *queue, mediagen_str which,
                                                    mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                    mediagen_error **err);
/* A cursor page. `resource` "jobs": {"queue", "state", "limit", "cursor"}; "children" and "logs": {"job",
 * "limit", "cursor"}; "queues": {}: names, settings and counts by state. */
MEDIAGEN_API int32_t mediagen_queue_list_begin(mediagen_queue *queue, mediagen_str resource,
                                               mediagen_str query, mediagen_inbox *inbox, uint64_t tag,
                                               mediagen_call **out, mediagen_error **err);
/* Changes the settings of the queue `name` at run time, durably and for every process: {"concurrency",
 * "perKey", "rate", "timeoutMs", "retry", "keep", "events", "paused"} as in the configuration; null takes a
 * change back. {"paused": true} stops claims, also of mediagen's own queues. The result is all its settings.
 */
MEDIAGEN_API int32_t mediagen_queue_configure_begin(mediagen_queue *queue, mediagen_str name,
                                                    mediagen_str settings, mediagen_inbox *inbox,
                                                    uint64_t tag, mediagen_call **out, mediagen_error **err);

#ifdef __cplusplus
}
#endif
#endif
