/* mediagen: records, and the host's own JSON collections. */
#ifndef MEDIAGEN_RECORD_H
#define MEDIAGEN_RECORD_H

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One record of `resource` ("generations" or "outputs") by its id or, for generations, "ext:<externalId>".
 * `principal` is {"user": …, "groups": […], "roles": […]}, or "" for the host itself, which sees all. What
 * the principal may not see is MEDIAGEN_NOT_FOUND. */
MEDIAGEN_API int32_t mediagen_get_begin(mediagen_engine *engine, mediagen_str principal,
                                        mediagen_str resource, mediagen_str id, mediagen_inbox *inbox,
                                        uint64_t tag, mediagen_call **out, mediagen_error **err);

/* A cursor page of `resource` ("generations"): `query` is {"filter": {…}, "sort": "createdAt desc", "limit":
 * 20, "cursor": null}; "" is all of it at its defaults. */
MEDIAGEN_API int32_t mediagen_list_begin(mediagen_engine *engine, mediagen_str principal,
                                         mediagen_str resource, mediagen_str query, mediagen_inbox *inbox,
                                         uint64_t tag, mediagen_call **out, mediagen_error **err);

/* The store alone: JSON collections that the host defines. `config_json` is {"dataDir": …}; or the store of
 * an engine, in whose transactions its jobs take part. */
MEDIAGEN_API int32_t mediagen_store_open(uint32_t abi, mediagen_str config_json, mediagen_store **out,
                                         mediagen_error **err);
MEDIAGEN_API int32_t mediagen_engine_store(mediagen_engine *engine, mediagen_store **out,
                                           mediagen_error **err);
MEDIAGEN_API void mediagen_store_free(mediagen_store *store);

/* {"name": "orders", "indexes": [["user", "createdAt desc"]], "unique": [["externalId"]]}; again with more is
 * additive. */
MEDIAGEN_API int32_t mediagen_store_define_begin(mediagen_store *store, mediagen_str collection,
                                                 mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                 mediagen_error **err);
/* One transaction of at most 1,000 writes and 1,000 jobs: {"writes": [{"put": "orders", "id": "o1", "value":
 * {…}}, {"remove": "carts", "id": "c9"}], "jobs": [{"queue": "email", "kind": "send", "payload": {…}}]}. The
 * result is {"jobs": [ids]}. All or nothing. */
MEDIAGEN_API int32_t mediagen_store_batch_begin(mediagen_store *store, mediagen_str batch,
                                                mediagen_inbox *inbox, uint64_t tag, mediagen_call **out,
                                                mediagen_error **err);
/* `ids` is a JSON array of at most 1,000; the result an array of values in that order, null where there is
 * none. */
MEDIAGEN_API int32_t mediagen_store_get_many_begin(mediagen_store *store, mediagen_str collection,
                                                   mediagen_str ids, mediagen_inbox *inbox, uint64_t tag,
                                                   mediagen_call **out, mediagen_error **err);
/* A cursor page of {"id", "value"}: the query document of mediagen_list_begin, sorted by a field of the
 * value. */
MEDIAGEN_API int32_t mediagen_store_list_begin(mediagen_store *store, mediagen_str collection,
                                               mediagen_str query, mediagen_inbox *inbox, uint64_t tag,
                                               mediagen_call **out, mediagen_error **err);

#ifdef __cplusplus
}
#endif
#endif
