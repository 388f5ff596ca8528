#include "mediagen/http.h"

#include "capi/begin.h"
#include "capi/guard.h"

using namespace mediagen;
using namespace mediagen::capi;

namespace {

Status CheckRequest(const mediagen_call* call) {
  if (call->http != nullptr) return OkStatus();
  return Error(Code::kInvalid, "This call is not a request of mediagen_handle_begin.");
}

}  // namespace

extern "C" {

int32_t mediagen_handle_begin(mediagen_engine* engine, mediagen_str method, mediagen_str target,
                              mediagen_str headers, mediagen_str principal, mediagen_str mount,
                              mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                              mediagen_error** err) {
  return Guard(
      err,
      {Need("engine", engine), Need("method", method), Need("target", target), Need("headers", headers),
       Need("principal", principal), Need("mount", mount), Allow("inbox", inbox), Out("out", out)},
      [&]() -> StatusOr<int32_t> {
        if (engine->engine->closed()) return ClosedError();
        RequestLine line{std::string(View(method)), std::string(View(target)), std::string(View(headers)),
                         std::string(View(principal)), std::string(View(mount))};
        auto call = std::make_shared<HttpCall>(Share(inbox), tag, DriveOf(engine->engine), engine->engine,
                                               engine->bodies, std::move(line));
        auto handle = std::make_unique<mediagen_call>(call);
        call->Start();
        return HandOver(std::move(handle), out);
      });
}

int32_t mediagen_sign_url(mediagen_engine* engine, mediagen_str method, mediagen_str target,
                          mediagen_str mount, int64_t ttl_ms, mediagen_buffer** out, mediagen_error** err) {
  return Guard(err,
               {Need("engine", engine), Need("method", method), Need("target", target), Need("mount", mount),
                Out("out", out)},
               [&]() -> Status {
                 ASSIGN_OR_RETURN(std::string url,
                                  engine->engine->SignUrl(View(method), View(target), View(mount), ttl_ms));
                 *out = Export(BufferRef::Own(std::move(url)));
                 return OkStatus();
               });
}

int32_t mediagen_call_write(mediagen_call* call, mediagen_str chunk, size_t* taken) {
  if (taken != nullptr) *taken = 0;
  return Guard(nullptr, {Need("call", call), Need("chunk", chunk), Need("taken", taken)}, [&]() -> Status {
    RETURN_IF_ERROR(CheckRequest(call));
    RETURN_IF_ERROR(call->http->Write(View(chunk)));
    *taken = chunk.size;
    return OkStatus();
  });
}

int32_t mediagen_call_end(mediagen_call* call) {
  return Guard(nullptr, {Need("call", call)}, [&]() -> Status {
    RETURN_IF_ERROR(CheckRequest(call));
    return call->http->End();
  });
}

int32_t mediagen_response_head(mediagen_call* call, int32_t* status, mediagen_str* headers) {
  return Guard(nullptr, {Need("call", call), Need("status", status), Need("headers", headers)},
               [&]() -> StatusOr<int32_t> {
                 RETURN_IF_ERROR(CheckRequest(call));
                 std::string_view block;
                 ASSIGN_OR_RETURN(int32_t state, call->http->Head(status, &block));
                 *headers = {block.data(), block.size()};
                 return state;
               });
}

int32_t mediagen_response_body(mediagen_call* call, mediagen_body* out) {
  return Guard(nullptr, {Need("call", call), Need("out", out)}, [&]() -> StatusOr<int32_t> {
    RETURN_IF_ERROR(CheckRequest(call));
    if (out->struct_size < sizeof(mediagen_body)) {
      return Error(Code::kInvalid, "\"out\" has a struct_size that is too small for a mediagen_body.",
                   {.hint = "Set struct_size to sizeof(mediagen_body) before the call."});
    }
    *out = {out->struct_size, MEDIAGEN_BODY_NONE, -1, nullptr, 0, 0};
    return call->http->Body(out);
  });
}

}  // extern "C"
