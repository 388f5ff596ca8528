/* mediagen: events. A subscription is a call whose inbox receives one MEDIAGEN_KIND_EVENT an event document.
 */
#ifndef MEDIAGEN_EVENTS_H
#define MEDIAGEN_EVENTS_H

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `filter` is {"topics": ["generations", "outputs"], "after": "e1:1042", "object": null}; "" is every topic
 * from now on. `principal` as in mediagen_get_begin. Answers MEDIAGEN_PENDING; EVENTs follow until the call
 * is canceled or freed, or the engine closes (DONE). A gap that retention has cut, or a subscriber that is
 * too slow (1,000 events that were not read), is told by an event of type "reset": read the state again and
 * go on from its id. `inbox` must not be NULL. */
MEDIAGEN_API int32_t mediagen_subscribe(mediagen_engine *engine, mediagen_str principal, mediagen_str filter,
                                        mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                        mediagen_error **err);

/* Publishes an event of the host's own: durable, ordered with all others, seen by `user`'s principals ("": by
 * the host alone). The topic must not be one of mediagen's. The result is {"id": "e1:1043"}. */
MEDIAGEN_API int32_t mediagen_publish_begin(mediagen_engine *engine, mediagen_str topic, mediagen_str user,
                                            mediagen_str data, mediagen_inbox *inbox, uint64_t tag,
                                            mediagen_call **out, mediagen_error **err);

#ifdef __cplusplus
}
#endif
#endif
