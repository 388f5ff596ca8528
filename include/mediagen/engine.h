/* mediagen: the engine, the whole pipeline over one configuration. */
#ifndef MEDIAGEN_ENGINE_H
#define MEDIAGEN_ENGINE_H

#include "call.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens what `config_json` describes (docs/configuration.md; "" or "{}" is the embedded default below
 * ./mediagen-data). `abi` is MEDIAGEN_ABI: an ABI that the library does not speak is refused with
 * MEDIAGEN_UNSUPPORTED. Unknown keys are refused by name. Blocks while it opens files; starts threads unless
 * "workers" is "manual". */
MEDIAGEN_API int32_t mediagen_open(uint32_t abi, mediagen_str config_json, mediagen_engine **out,
                                   mediagen_error **err);

/* Stops claiming, lets what runs go on for up to grace_ms, hands the rest back, and ends every call of the
 * engine with MEDIAGEN_CLOSED. Nothing accepted is lost. The engine answers MEDIAGEN_CLOSED from then on and
 * still has to be freed. */
MEDIAGEN_API int32_t mediagen_close_begin(mediagen_engine *engine, int64_t grace_ms, mediagen_inbox *inbox,
                                          uint64_t tag, mediagen_call **out, mediagen_error **err);
/* Closes first, with no grace, when it was not closed. */
MEDIAGEN_API void mediagen_engine_free(mediagen_engine *engine);

/* "workers": "manual": does what is due on this thread for at most budget_ms: writes, provider I/O, job
 * steps, renewal. Returns early when nothing is left to do at once; *next_due_ms (may be NULL) is then how
 * long the caller may wait before calling again (-1: until something is submitted). Parked jobs stay where
 * they are. MEDIAGEN_UNSUPPORTED on an engine that has threads. */
MEDIAGEN_API int32_t mediagen_run(mediagen_engine *engine, int64_t budget_ms, int64_t *next_due_ms,
                                  mediagen_error **err);

#ifdef __cplusplus
}
#endif
#endif
