#include "mediagen/call.h"

#include "capi/begin.h"
#include "capi/guard.h"

using namespace mediagen;
using namespace mediagen::capi;

extern "C" {

int32_t mediagen_inbox_new(mediagen_inbox** out, mediagen_error** err) {
  return Guard(err, {Out("out", out)}, [&]() -> Status {
    ASSIGN_OR_RETURN(auto inbox, Inbox::New());
    *out = new mediagen_inbox(std::move(inbox));
    return OkStatus();
  });
}

int mediagen_inbox_fd(const mediagen_inbox* inbox) {
  return inbox == nullptr || inbox->fork.forked() ? -1 : inbox->inbox->fd();
}

int32_t mediagen_inbox_next(mediagen_inbox* inbox, uint64_t* tag, int32_t* kind, mediagen_buffer** event) {
  return Guard(nullptr, {Need("inbox", inbox), Need("tag", tag), Need("kind", kind), Out("event", event)},
               [&] {
                 Inbox::Notice notice = inbox->inbox->Next();
                 *tag = notice.tag;
                 *kind = static_cast<int32_t>(notice.kind);
                 *event = Export(std::move(notice.event));
                 return MEDIAGEN_OK;
               });
}

void mediagen_inbox_free(mediagen_inbox* inbox) { Free(inbox); }

int32_t mediagen_call_wait(mediagen_call* call, int64_t timeout_ms, mediagen_error** err) {
  return Guard(err, {Need("call", call)}, [&]() -> StatusOr<int32_t> {
    switch (call->call->Wait(timeout_ms)) {
      case Call::WaitResult::kTimeout:
        return MEDIAGEN_TIMEOUT;
      case Call::WaitResult::kAbandoned:
        call->call->Complete(ClosedError());
        break;
      case Call::WaitResult::kDone:
        break;
    }
    RETURN_IF_ERROR(call->call->result()->status);
    return MEDIAGEN_OK;
  });
}

int32_t mediagen_call_result(mediagen_call* call, mediagen_buffer** out, mediagen_error** err) {
  return Guard(err, {Need("call", call), Out("out", out)}, [&]() -> StatusOr<int32_t> {
    std::optional<Call::Result> result = call->call->TakeResult();
    if (!result) return MEDIAGEN_PENDING;
    RETURN_IF_ERROR(result->status);
    if (result->load_token != 0) return MEDIAGEN_LOAD;
    *out = Export(std::move(result->buffer));
    return MEDIAGEN_OK;
  });
}

void mediagen_call_cancel(mediagen_call* call) {
  Guard(nullptr, {Need("call", call)}, [&] {
    call->call->Cancel();
    return MEDIAGEN_OK;
  });
}

void mediagen_call_free(mediagen_call* call) { Free(call); }

}  // extern "C"
