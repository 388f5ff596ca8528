#include "mediagen/record.h"

#include "api/store_documents.h"
#include "capi/backend.h"
#include "capi/begin.h"
#include "capi/guard.h"

using namespace mediagen;
using namespace mediagen::capi;

extern "C" {

int32_t mediagen_get_begin(mediagen_engine* engine, mediagen_str principal, mediagen_str resource,
                           mediagen_str id, mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                           mediagen_error** err) {
  return Guard(
      err,
      {Need("engine", engine), Need("principal", principal), Need("resource", resource), Need("id", id),
       Allow("inbox", inbox), Out("out", out)},
      [&] {
        return Begin(inbox, tag, DriveOf(engine->engine), out, [&](const std::shared_ptr<Call>& call) {
          call->OnWaitHelp(engine->engine->Get(View(principal), View(resource), View(id), ReplyTo(call)));
          return OkStatus();
        });
      });
}

int32_t mediagen_list_begin(mediagen_engine* engine, mediagen_str principal, mediagen_str resource,
                            mediagen_str query, mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                            mediagen_error** err) {
  return Guard(
      err,
      {Need("engine", engine), Need("principal", principal), Need("resource", resource), Need("query", query),
       Allow("inbox", inbox), Out("out", out)},
      [&] {
        return Begin(inbox, tag, DriveOf(engine->engine), out, [&](const std::shared_ptr<Call>& call) {
          call->OnWaitHelp(engine->engine->List(View(principal), View(resource), View(query), ReplyTo(call)));
          return OkStatus();
        });
      });
}

int32_t mediagen_store_open(uint32_t abi, mediagen_str config_json, mediagen_store** out,
                            mediagen_error** err) {
  return Guard(err, {Need("config_json", config_json), Out("out", out)}, [&]() -> Status {
    RETURN_IF_ERROR(CheckAbi(abi));
    ASSIGN_OR_RETURN(Backend backend, OpenStoreAlone(View(config_json)));
    *out = new mediagen_store(std::move(backend));
    return OkStatus();
  });
}

int32_t mediagen_engine_store(mediagen_engine* engine, mediagen_store** out, mediagen_error** err) {
  return Guard(err, {Need("engine", engine), Out("out", out)}, [&]() -> Status {
    if (engine->engine->closed()) return ClosedError();
    *out = new mediagen_store(engine->engine->backend());
    return OkStatus();
  });
}

void mediagen_store_free(mediagen_store* store) { Free(store); }

int32_t mediagen_store_define_begin(mediagen_store* store, mediagen_str collection, mediagen_inbox* inbox,
                                    uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(err,
               {Need("store", store), Need("collection", collection), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(CollectionDefinition definition, ParseCollectionText(View(collection)));
                 return Commit(store->backend, inbox, tag, out, Purpose::kSubmit,
                               [definition = std::move(definition)](Transaction& transaction, std::string*) {
                                 return transaction.collections().Define(definition);
                               });
               });
}

int32_t mediagen_store_batch_begin(mediagen_store* store, mediagen_str batch, mediagen_inbox* inbox,
                                   uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(err, {Need("store", store), Need("batch", batch), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(StoreBatch parsed, ParseStoreBatch(View(batch)));
                 const Purpose purpose = parsed.AddsNothing() ? Purpose::kSettle : Purpose::kSubmit;
                 return Commit(store->backend, inbox, tag, out, purpose,
                               [parsed = std::move(parsed), queues = store->backend.queues](
                                   Transaction& transaction, std::string* result) {
                                 return ApplyStoreBatch(transaction, queues, parsed, result);
                               });
               });
}

int32_t mediagen_store_get_many_begin(mediagen_store* store, mediagen_str collection, mediagen_str ids,
                                      mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                                      mediagen_error** err) {
  return Guard(err,
               {Need("store", store), Need("collection", collection), Need("ids", ids), Allow("inbox", inbox),
                Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(auto wanted, ParseIdList(View(ids)));
                 return Read(
                     store->backend, inbox, tag, out,
                     [name = std::string(View(collection)), wanted = std::move(wanted)](
                         const Snapshot& snapshot) { return ValuesDocument(snapshot, name, wanted); });
               });
}

int32_t mediagen_store_list_begin(mediagen_store* store, mediagen_str collection, mediagen_str query,
                                  mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                                  mediagen_error** err) {
  return Guard(err,
               {Need("store", store), Need("collection", collection), Need("query", query),
                Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 std::string name(View(collection));
                 ASSIGN_OR_RETURN(CollectionQuery parsed, ParseCollectionQuery(name, View(query)));
                 return Read(
                     store->backend, inbox, tag, out,
                     [name, parsed = std::move(parsed), epoch = store->backend.store->epoch()](
                         const Snapshot& snapshot) { return CollectionPage(snapshot, epoch, name, parsed); });
               });
}

}  // extern "C"
