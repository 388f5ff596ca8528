// The handles: small structs that share what they name, each with the fork generation of its making.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/call.h"
#include "base/fork.h"
#include "cache/cache.h"
#include "capi/guard.h"
#include "capi/http_call.h"
#include "codec/image.h"
#include "engine/engine.h"
#include "limit/limiter.h"
#include "mediagen/types.h"

struct mediagen_inbox {
  explicit mediagen_inbox(std::shared_ptr<mediagen::Inbox> shared) : inbox(std::move(shared)) {}
  std::shared_ptr<mediagen::Inbox> inbox;
  mediagen::ForkGuard fork;
};

// Freed, it cancels what is still under way.
struct mediagen_call {
  explicit mediagen_call(std::shared_ptr<mediagen::Call> begun) : call(std::move(begun)) {}
  explicit mediagen_call(std::shared_ptr<mediagen::capi::HttpCall> begun) : call(begun), http(begun.get()) {}
  ~mediagen_call() { call->Release(); }
  mediagen_call(const mediagen_call&) = delete;
  mediagen_call& operator=(const mediagen_call&) = delete;

  std::shared_ptr<mediagen::Call> call;
  mediagen::capi::HttpCall* http = nullptr;  // `call` itself, when it is a request
  mediagen::ForkGuard fork;
};

struct mediagen_engine {
  explicit mediagen_engine(std::shared_ptr<mediagen::Engine> shared) : engine(std::move(shared)) {}
  std::shared_ptr<mediagen::Engine> engine;
  std::shared_ptr<mediagen::capi::BodyBudget> bodies = std::make_shared<mediagen::capi::BodyBudget>();
  mediagen::ForkGuard fork;
};

struct mediagen_store {
  explicit mediagen_store(mediagen::Backend opened) : backend(std::move(opened)) {}
  mediagen::Backend backend;
  mediagen::ForkGuard fork;
};

struct mediagen_queue {
  explicit mediagen_queue(mediagen::Backend opened) : backend(std::move(opened)) {}
  mediagen::Backend backend;
  mediagen::ForkGuard fork;
};

struct mediagen_cache {
  explicit mediagen_cache(std::shared_ptr<mediagen::Cache> shared) : cache(std::move(shared)) {}
  std::shared_ptr<mediagen::Cache> cache;
  mediagen::ForkGuard fork;
};

struct mediagen_limiter {
  explicit mediagen_limiter(std::shared_ptr<mediagen::Limiter> shared) : limiter(std::move(shared)) {}
  std::shared_ptr<mediagen::Limiter> limiter;
  mediagen::ForkGuard fork;
};

// Decoded pixels.
struct mediagen_image {
  explicit mediagen_image(std::shared_ptr<const mediagen::Pixels> decoded) : pixels(std::move(decoded)) {}
  std::shared_ptr<const mediagen::Pixels> pixels;
  mediagen::ForkGuard fork;
};

// Decoded frames, which the images made of them share.
struct mediagen_animation {
  struct Frame {
    std::shared_ptr<const mediagen::Pixels> pixels;
    int64_t duration_ms = 0;
  };
  std::vector<Frame> frames;
  uint32_t loops = 0;
  mediagen::ForkGuard fork;
};

namespace mediagen::capi {

// Every *_free: NULL is nothing, and in a forked child nothing is taken apart, for its locks and threads are
// the parent's.
template <ForkAware Handle>
void Free(Handle* handle) noexcept {
  if (handle == nullptr || handle->fork.forked()) return;
  try {
    delete handle;
  } catch (...) {
    // What its end had to say (a call's cancellation) found no memory; the rest is freed.
  }
}

inline std::shared_ptr<Inbox> Share(mediagen_inbox* inbox) {
  return inbox == nullptr ? nullptr : inbox->inbox;
}

}  // namespace mediagen::capi
