// mediagen for C++20: operations under way: inboxes, calls, subscriptions, HTTP-shaped exchanges. See
// mediagen.hpp.
#ifndef MEDIAGEN_CALL_HPP
#define MEDIAGEN_CALL_HPP

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cache.h"
#include "call.h"
#include "http.h"
#include "result.hpp"

namespace mediagen {

// One per event loop: watch fd(), then call next() until it is empty.
class inbox {
 public:
  static result<inbox> make() {
    mediagen_inbox* made = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_inbox_new(&made, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return inbox(made);
  }
  struct notice {
    uint64_t tag = 0;
    int32_t kind = MEDIAGEN_KIND_EMPTY;
    bytes event;
    explicit operator bool() const { return kind != MEDIAGEN_KIND_EMPTY; }
  };
  notice next() {
    notice out;
    mediagen_buffer* event = nullptr;
    if (mediagen_inbox_next(handle_.get(), &out.tag, &out.kind, &event) < 0) out.kind = MEDIAGEN_KIND_EMPTY;
    out.event = bytes(event);
    return out;
  }
  int fd() const { return mediagen_inbox_fd(handle_.get()); }
  mediagen_inbox* get() const { return handle_.get(); }

 private:
  explicit inbox(mediagen_inbox* adopted) : handle_(adopted) {}
  detail::handle<mediagen_inbox, mediagen_inbox_free> handle_;
};

// Where an operation is to report: nowhere (then wait), or an inbox with a tag.
struct report {
  mediagen_inbox* inbox = nullptr;
  uint64_t tag = 0;
  report() = default;
  report(const mediagen::inbox& to, uint64_t with_tag) : inbox(to.get()), tag(with_tag) {}
};

// One operation: under way, ended, or refused from the start. Freed, it cancels what is under way.
class call {
 public:
  call(mediagen_call* adopted, int32_t state) : handle_(adopted), state_(state) {}
  explicit call(mediagen::error refused) : state_(refused.code), refused_(std::move(refused)) {}

  // Whether it was begun at all; then no DONE follows an `ended_at_once`.
  bool begun() const { return handle_ != nullptr; }
  bool ended_at_once() const { return state_ != MEDIAGEN_PENDING; }
  const mediagen::error& refusal() const { return refused_; }

  // The result document, waiting for it; MEDIAGEN_TIMEOUT as an error when it is still under way (it goes
  // on).
  result<bytes> wait(int64_t timeout_ms = -1) {
    if (!begun()) return refused_;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_call_wait(handle_.get(), timeout_ms, &raised);
    if (code != MEDIAGEN_OK) return detail::take_error(code, raised);
    return document();
  }
  // The result document of an ended call; MEDIAGEN_PENDING or MEDIAGEN_LOAD as an error otherwise.
  result<bytes> document() {
    if (!begun()) return refused_;
    mediagen_error* raised = nullptr;
    mediagen_buffer* out = nullptr;
    int32_t code = mediagen_call_result(handle_.get(), &out, &raised);
    if (code != MEDIAGEN_OK) return detail::take_error(code, raised);
    return bytes(out);
  }
  void cancel() { mediagen_call_cancel(handle_.get()); }
  uint64_t token() const { return mediagen_call_token(handle_.get()); }
  mediagen_call* get() const { return handle_.get(); }

 private:
  detail::handle<mediagen_call, mediagen_call_free> handle_;
  int32_t state_;
  mediagen::error refused_;
};

namespace detail {

// begin(&call, &err) → a call.
template <typename Begin>
call start(Begin begin) {
  mediagen_call* begun = nullptr;
  mediagen_error* raised = nullptr;
  int32_t state = begin(&begun, &raised);
  if (state < 0) return call(take_error(state, raised));
  return call(begun, state);
}

}  // namespace detail

// Events in order, as they come. Needs an inbox of its own and blocks in its iterator; a loop that watches
// many things uses engine::subscribe.
class subscription {
 public:
  subscription(inbox events, call under_way) : inbox_(std::move(events)), call_(std::move(under_way)) {}

  // The next event document, waiting up to timeout_ms (< 0: for ever); empty at the end or when the time is
  // over.
  std::optional<bytes> next(int64_t timeout_ms = -1);

  class iterator {
   public:
    using value_type = bytes;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    explicit iterator(subscription* from) : from_(from) { ++*this; }
    const bytes& operator*() const { return event_; }
    iterator& operator++() {
      std::optional<bytes> event = from_->next();
      if (event)
        event_ = *std::move(event);
      else
        from_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return from_ == nullptr; }

   private:
    subscription* from_ = nullptr;
    bytes event_;
  };
  iterator begin() { return iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  inbox inbox_;
  call call_;
};

// One answered request of engine::handle.
struct response {
  int32_t status = 0;
  std::string headers;  // "name: value\r\n"…
};

// A request under way. GET and HEAD begin at once; the others after end().
class exchange {
 public:
  explicit exchange(mediagen::call begun) : call_(std::move(begun)) {}

  result<nothing> write(std::string_view chunk) {
    if (!call_.begun()) return call_.refusal();
    size_t taken = 0;
    return check(mediagen_call_write(call_.get(), detail::str(chunk), &taken));
  }
  result<nothing> end() {
    if (!call_.begun()) return call_.refusal();
    return check(mediagen_call_end(call_.get()));
  }
  // Of a call whose HEAD (or end) was told.
  result<response> head() {
    if (!call_.begun()) return call_.refusal();
    response out;
    mediagen_str headers{};
    int32_t code = mediagen_response_head(call_.get(), &out.status, &headers);
    if (code != MEDIAGEN_OK) return detail::take_error(code, nullptr);
    out.headers = std::string(detail::view(headers));
    return out;
  }
  // The body or its next piece; the caller owns what is in it (mediagen/http.h). MEDIAGEN_EMPTY as an error:
  // none yet.
  result<mediagen_body> body() {
    if (!call_.begun()) return call_.refusal();
    mediagen_body out{};
    out.struct_size = sizeof out;
    int32_t code = mediagen_response_body(call_.get(), &out);
    if (code != MEDIAGEN_OK) return detail::take_error(code, nullptr);
    return out;
  }
  mediagen::call& call() { return call_; }

 private:
  static result<nothing> check(int32_t code) {
    if (code < 0) return detail::take_error(code, nullptr);
    return nothing();
  }
  mediagen::call call_;
};

inline std::optional<bytes> subscription::next(int64_t timeout_ms) {
  using clock = std::chrono::steady_clock;
  const auto deadline = clock::now() + std::chrono::milliseconds(timeout_ms < 0 ? 0 : timeout_ms);
  while (true) {
    inbox::notice told = inbox_.next();
    if (told.kind == MEDIAGEN_KIND_EVENT) return std::move(told.event);
    if (told) return std::nullopt;  // DONE: the engine has closed
    int left = -1;
    if (timeout_ms >= 0) {
      left = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count());
      if (left <= 0) return std::nullopt;
    }
    pollfd entry{inbox_.fd(), POLLIN, 0};
    (void)poll(&entry, 1, left);
  }
}

}  // namespace mediagen

#endif
