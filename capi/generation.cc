#include "mediagen/generation.h"

#include "capi/begin.h"
#include "capi/guard.h"

using namespace mediagen;
using namespace mediagen::capi;

namespace {

using Decision = void (Engine::*)(std::string_view principal, std::string_view id, Reply reply);

int32_t Decide(Decision decision, mediagen_engine* engine, mediagen_str principal, mediagen_str id,
               mediagen_inbox* inbox, uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(err,
               {Need("engine", engine), Need("principal", principal), Need("id", id), Allow("inbox", inbox),
                Out("out", out)},
               [&] {
                 return Begin(inbox, tag, DriveOf(engine->engine), out, [&](std::shared_ptr<Call> call) {
                   (engine->engine.get()->*decision)(View(principal), View(id), ReplyTo(std::move(call)));
                   return OkStatus();
                 });
               });
}

}  // namespace

extern "C" {

int32_t mediagen_submit_begin(mediagen_engine* engine, mediagen_str request, mediagen_inbox* inbox,
                              uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(
      err, {Need("engine", engine), Need("request", request), Allow("inbox", inbox), Out("out", out)}, [&] {
        return Begin(inbox, tag, DriveOf(engine->engine), out, [&](std::shared_ptr<Call> call) {
          engine->engine->Submit(View(request), ReplyTo(std::move(call)));
          return OkStatus();
        });
      });
}

int32_t mediagen_cancel_begin(mediagen_engine* engine, mediagen_str principal, mediagen_str id,
                              mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                              mediagen_error** err) {
  return Decide(&Engine::Cancel, engine, principal, id, inbox, tag, out, err);
}

int32_t mediagen_retry_begin(mediagen_engine* engine, mediagen_str principal, mediagen_str id,
                             mediagen_inbox* inbox, uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Decide(&Engine::Retry, engine, principal, id, inbox, tag, out, err);
}

int32_t mediagen_abandon_begin(mediagen_engine* engine, mediagen_str principal, mediagen_str id,
                               mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                               mediagen_error** err) {
  return Decide(&Engine::AbandonUnknown, engine, principal, id, inbox, tag, out, err);
}

int32_t mediagen_await_begin(mediagen_engine* engine, mediagen_str principal, mediagen_str id,
                             mediagen_inbox* inbox, uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(err,
               {Need("engine", engine), Need("principal", principal), Need("id", id), Allow("inbox", inbox),
                Out("out", out)},
               [&] {
                 return Begin(inbox, tag, DriveOf(engine->engine), out, [&](std::shared_ptr<Call> call) {
                   Unsubscribe stop = engine->engine->Await(View(principal), View(id), ReplyTo(call));
                   if (stop) call->OnCancel(std::move(stop));
                   return OkStatus();
                 });
               });
}

int32_t mediagen_upload_begin(mediagen_engine* engine, mediagen_str principal, mediagen_str metadata,
                              mediagen_str bytes, mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                              mediagen_error** err) {
  return Guard(err,
               {Need("engine", engine), Need("principal", principal), Need("metadata", metadata),
                Need("bytes", bytes), Allow("inbox", inbox), Out("out", out)},
               [&] {
                 return Begin(inbox, tag, DriveOf(engine->engine), out, [&](std::shared_ptr<Call> call) {
                   engine->engine->Upload(View(principal), View(metadata), View(bytes),
                                          ReplyTo(std::move(call)));
                   return OkStatus();
                 });
               });
}

}  // extern "C"
