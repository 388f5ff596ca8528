#include "mediagen/types.h"

#include "base/buffer.h"
#include "base/status.h"
#include "capi/guard.h"

using namespace mediagen;
using namespace mediagen::capi;

extern "C" {

const char* mediagen_version(void) { return MEDIAGEN_VERSION; }

uint32_t mediagen_abi(void) { return MEDIAGEN_ABI; }

const char* mediagen_code_name(int32_t code) {
  switch (code) {
    case MEDIAGEN_EMPTY:
      return "empty";
    case MEDIAGEN_PENDING:
      return "pending";
    case MEDIAGEN_LOAD:
      return "load";
    case MEDIAGEN_TIMEOUT:
      return "timeout";
    default:
      break;
  }
  if (code > MEDIAGEN_OK || code < MEDIAGEN_INTERNAL) code = MEDIAGEN_INTERNAL;
  return CodeName(static_cast<Code>(code)).data();  // names are literals: NUL stands behind them
}

int32_t mediagen_buffer_copy(mediagen_str bytes, mediagen_buffer** out) {
  return Guard(nullptr, {Need("bytes", bytes), Out("out", out)}, [&] {
    *out = Export(BufferRef::Copy(View(bytes)));
    return MEDIAGEN_OK;
  });
}

mediagen_str mediagen_buffer_view(const mediagen_buffer* buffer) {
  if (buffer == nullptr) return {nullptr, 0};
  const auto* bytes = reinterpret_cast<const Buffer*>(buffer);
  return {bytes->data(), bytes->size()};
}

mediagen_buffer* mediagen_buffer_ref(mediagen_buffer* buffer) {
  if (buffer != nullptr) reinterpret_cast<const Buffer*>(buffer)->Ref();
  return buffer;
}

void mediagen_buffer_free(mediagen_buffer* buffer) {
  if (buffer != nullptr) reinterpret_cast<const Buffer*>(buffer)->Unref();
}

}  // extern "C"
