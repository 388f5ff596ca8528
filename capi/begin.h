// How an operation begins: a Call is made, `start` sets it going, and whether it has ended by then decides
// between OK and PENDING.
#pragma once

#include <memory>
#include <utility>

#include "base/call.h"
#include "base/status.h"
#include "capi/handles.h"
#include "engine/engine.h"
#include "mediagen/call.h"

namespace mediagen::capi {

// Gives the host its handle. An operation that has failed by now was never begun: *out stays NULL.
StatusOr<int32_t> HandOver(std::unique_ptr<mediagen_call> handle, mediagen_call** out);

// `start(call)` arranges that the shared call completes, now or later; its own error ends it at once.
template <typename Start>
StatusOr<int32_t> Begin(mediagen_inbox* inbox, uint64_t tag, Call::Drive drive, mediagen_call** out,
                        Start start) {
  auto call = std::make_shared<Call>(Share(inbox), tag, std::move(drive));
  auto handle = std::make_unique<mediagen_call>(call);
  RETURN_IF_ERROR(start(call));
  return HandOver(std::move(handle), out);
}

// Completes `call` with what the engine replies.
Reply ReplyTo(std::shared_ptr<Call> call);

// Drives the engine of a manual-mode call for as long as there is one; null for an engine with threads.
Call::Drive DriveOf(const std::shared_ptr<Engine>& engine);
Call::Drive DriveOf(const Backend& backend);

}  // namespace mediagen::capi
