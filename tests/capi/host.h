// A host: what a binding does with the C ABI, in few words. Fails the test where a handle leaks no matter how
// it ends.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "mediagen/mediagen.h"

namespace mediagen::testing {

inline mediagen_str S(std::string_view text) { return {text.data(), text.size()}; }
inline std::string Text(mediagen_str view) {
  return view.size == 0 ? std::string() : std::string(view.data, view.size);
}

// Takes over the buffer.
inline std::string Take(mediagen_buffer* buffer) {
  std::string text = Text(mediagen_buffer_view(buffer));
  mediagen_buffer_free(buffer);
  return text;
}

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};
template <typename T, auto kFree>
using Owned = std::unique_ptr<T, Freer<kFree>>;

using OwnedEngine = Owned<mediagen_engine, mediagen_engine_free>;
using OwnedInbox = Owned<mediagen_inbox, mediagen_inbox_free>;
using OwnedCall = Owned<mediagen_call, mediagen_call_free>;
using OwnedCache = Owned<mediagen_cache, mediagen_cache_free>;
using OwnedStore = Owned<mediagen_store, mediagen_store_free>;
using OwnedQueue = Owned<mediagen_queue, mediagen_queue_free>;

// An error slot. `doc` reads the error and frees it.
class Failure {
 public:
  ~Failure() { mediagen_error_free(error_); }
  mediagen_error** slot() {
    mediagen_error_free(std::exchange(error_, nullptr));
    return &error_;
  }
  bool set() const { return error_ != nullptr; }
  int32_t code() const { return mediagen_error_code(error_); }
  Json doc() const { return Json::parse(Text(mediagen_error_json(error_))); }
  std::string message() const { return doc().at("message"); }

 private:
  mediagen_error* error_ = nullptr;
};

inline OwnedEngine OpenEngine(std::string_view config = "") {
  mediagen_engine* engine = nullptr;
  REQUIRE(mediagen_open(MEDIAGEN_ABI, S(config), &engine, nullptr) == MEDIAGEN_OK);
  return OwnedEngine(engine);
}

inline OwnedInbox NewInbox() {
  mediagen_inbox* inbox = nullptr;
  REQUIRE(mediagen_inbox_new(&inbox, nullptr) == MEDIAGEN_OK);
  return OwnedInbox(inbox);
}

struct Notice {
  uint64_t tag = 0;
  int32_t kind = -1;
  std::string event;
};
inline Notice Next(const OwnedInbox& inbox) {
  Notice notice;
  mediagen_buffer* event = nullptr;
  REQUIRE(mediagen_inbox_next(inbox.get(), &notice.tag, &notice.kind, &event) == MEDIAGEN_OK);
  notice.event = Take(event);
  return notice;
}
// Whether the descriptor is readable now, or within `timeout_ms`.
inline bool Readable(const OwnedInbox& inbox, int timeout_ms = 0) {
  pollfd entry{mediagen_inbox_fd(inbox.get()), POLLIN, 0};
  return poll(&entry, 1, timeout_ms) == 1;
}
// The next notice that is not EMPTY; waits on the descriptor.
inline Notice Await(const OwnedInbox& inbox) {
  while (true) {
    Notice notice = Next(inbox);
    if (notice.kind != MEDIAGEN_KIND_EMPTY) return notice;
    REQUIRE(Readable(inbox, 30'000));
  }
}

// Runs begin(…, &call, err), waits, and gives the result document (Json null for none).
template <typename BeginFunction>
Json Result(BeginFunction begin) {
  mediagen_call* call = nullptr;
  Failure failure;
  int32_t state = begin(&call, failure.slot());
  INFO(state, " ", (failure.set() ? failure.doc().dump() : std::string()));
  REQUIRE(state >= 0);
  OwnedCall owned(call);
  state = mediagen_call_wait(call, 30'000, failure.slot());
  INFO((failure.set() ? failure.doc().dump() : std::string()));
  REQUIRE(state == MEDIAGEN_OK);
  mediagen_buffer* result = nullptr;
  REQUIRE(mediagen_call_result(call, &result, nullptr) == MEDIAGEN_OK);
  std::string text = Take(result);
  return text.empty() ? Json() : Json::parse(text);
}

// The error document of what is to fail, at once or later.
template <typename BeginFunction>
Json Refusal(BeginFunction begin) {
  mediagen_call* call = nullptr;
  Failure failure;
  int32_t state = begin(&call, failure.slot());
  OwnedCall owned(call);
  if (state >= 0) state = mediagen_call_wait(call, 30'000, failure.slot());
  REQUIRE(state < 0);
  CHECK(failure.code() == state);
  return failure.doc();
}

}  // namespace mediagen::testing
