#include "mediagen/engine.h"

#include "capi/begin.h"
#include "capi/guard.h"

using namespace mediagen;
using namespace mediagen::capi;

namespace {

// Ends `call` when the engine has closed.
void Close(const std::shared_ptr<Engine>& engine, int64_t grace_ms, std::shared_ptr<Call> call) {
  engine->Close(grace_ms, [call = std::move(call)](Status status) { call->Complete(std::move(status)); });
}

}  // namespace

extern "C" {

int32_t mediagen_open(uint32_t abi, mediagen_str config_json, mediagen_engine** out, mediagen_error** err) {
  return Guard(err, {Need("config_json", config_json), Out("out", out)}, [&]() -> Status {
    RETURN_IF_ERROR(CheckAbi(abi));
    ASSIGN_OR_RETURN(auto engine, Engine::Open(View(config_json)));
    *out = new mediagen_engine(std::move(engine));
    return OkStatus();
  });
}

int32_t mediagen_close_begin(mediagen_engine* engine, int64_t grace_ms, mediagen_inbox* inbox, uint64_t tag,
                             mediagen_call** out, mediagen_error** err) {
  return Guard(
      err, {Need("engine", engine), Allow("inbox", inbox), Out("out", out)}, [&]() -> StatusOr<int32_t> {
        return Begin(inbox, tag, DriveOf(engine->engine), out, [&](std::shared_ptr<Call> call) -> Status {
          Close(engine->engine, grace_ms < 0 ? 0 : grace_ms, std::move(call));
          return OkStatus();
        });
      });
}

void mediagen_engine_free(mediagen_engine* engine) {
  if (engine == nullptr || engine->fork.forked()) return;
  Guard(nullptr, [&] {
    if (!engine->engine->closed()) {
      auto call = std::make_shared<Call>(nullptr, 0, DriveOf(engine->engine));
      Close(engine->engine, 0, call);
      call->Wait(-1);
    }
    return MEDIAGEN_OK;
  });
  Free(engine);
}

int32_t mediagen_run(mediagen_engine* engine, int64_t budget_ms, int64_t* next_due_ms, mediagen_error** err) {
  if (next_due_ms != nullptr) *next_due_ms = -1;
  return Guard(err, {Need("engine", engine)}, [&]() -> Status {
    if (engine->engine->threaded()) {
      return Error(Code::kUnsupported, "This engine has threads of its own; there is nothing to run.",
                   {.hint = "Open it with \"workers\": \"manual\" to drive it from your thread."});
    }
    int64_t due = -1;
    RETURN_IF_ERROR(engine->engine->Run(budget_ms < 0 ? 0 : budget_ms, &due));
    if (next_due_ms != nullptr) *next_due_ms = due;
    return OkStatus();
  });
}

}  // extern "C"
