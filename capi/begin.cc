#include "capi/begin.h"

namespace mediagen::capi {

StatusOr<int32_t> HandOver(std::unique_ptr<mediagen_call> handle, mediagen_call** out) {
  std::shared_ptr<Call> call = handle->call;
  *out = handle.get();  // before Begun: another thread may be told of the end at once
  if (!call->Begun()) {
    handle.release();
    return MEDIAGEN_PENDING;
  }
  Status status = call->result()->status;
  if (status.ok()) {
    handle.release();
    return MEDIAGEN_OK;
  }
  *out = nullptr;
  return status;
}

Reply ReplyTo(std::shared_ptr<Call> call) {
  return [call = std::move(call)](StatusOr<BufferRef> reply) {
    if (reply.ok()) {
      call->Complete(OkStatus(), *std::move(reply));
    } else {
      call->Complete(reply.status());
    }
  };
}

Call::Drive DriveOf(const std::shared_ptr<Engine>& engine) {
  if (engine->threaded()) return nullptr;
  return [weak = std::weak_ptr<Engine>(engine)](int64_t ms) {
    std::shared_ptr<Engine> alive = weak.lock();
    return alive != nullptr && alive->Drive(ms);
  };
}

Call::Drive DriveOf(const Backend& backend) {
  if (backend.threaded) return nullptr;
  return [weak = std::weak_ptr<void>(backend.owner), drive = backend.drive](int64_t ms) {
    std::shared_ptr<void> alive = weak.lock();
    return alive != nullptr && drive(ms);
  };
}

}  // namespace mediagen::capi
