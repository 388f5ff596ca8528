#include "mediagen/events.h"

#include "base/json.h"
#include "capi/begin.h"
#include "capi/guard.h"

using namespace mediagen;
using namespace mediagen::capi;

namespace {

constexpr size_t kBacklog = 1000;  // unread events of one subscription: what "events.backlog" is by default

// What stands for the events that a host was too slow to read: it reads the state again and goes on from this
// id.
BufferRef ResetAfter(const BufferRef& newest) {
  Json event = Json::parse(newest.view(), nullptr, false);
  auto part = [&](const char* name) {
    return event.is_object() && event.contains(name) ? event[name] : Json(nullptr);
  };
  return BufferRef::Own(Dump({{"id", part("id")},
                              {"topic", part("topic")},
                              {"type", "reset"},
                              {"object", nullptr},
                              {"user", nullptr},
                              {"data", {{"reason", "slow"}}},
                              {"at", part("at")}}));
}

}  // namespace

extern "C" {

int32_t mediagen_subscribe(mediagen_engine* engine, mediagen_str principal, mediagen_str filter,
                           mediagen_inbox* inbox, uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(
      err,
      {Need("engine", engine), Need("principal", principal), Need("filter", filter), Need("inbox", inbox),
       Out("out", out)},
      [&] {
        return Begin(inbox, tag, DriveOf(engine->engine), out, [&](std::shared_ptr<Call> call) -> Status {
          auto deliver = [call](BufferRef event) {
            call->NotifyEvent(std::move(event), kBacklog, ResetAfter);
          };
          auto ended = [call](Status status) {
            call->Complete(status.ok() ? ClosedError() : std::move(status));
          };
          ASSIGN_OR_RETURN(Unsubscribe stop,
                           engine->engine->Subscribe(View(principal), View(filter), deliver, ended));
          if (stop) call->OnCancel(std::move(stop));
          return OkStatus();
        });
      });
}

int32_t mediagen_publish_begin(mediagen_engine* engine, mediagen_str topic, mediagen_str user,
                               mediagen_str data, mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                               mediagen_error** err) {
  return Guard(err,
               {Need("engine", engine), Need("topic", topic), Need("user", user), Need("data", data),
                Allow("inbox", inbox), Out("out", out)},
               [&] {
                 return Begin(inbox, tag, DriveOf(engine->engine), out, [&](std::shared_ptr<Call> call) {
                   engine->engine->Publish(View(topic), View(user), View(data), ReplyTo(std::move(call)));
                   return OkStatus();
                 });
               });
}

}  // extern "C"
