// mediagen for C++20: the rate limiter. See mediagen.hpp, and limiter.h for what is promised.
#ifndef MEDIAGEN_LIMITER_HPP
#define MEDIAGEN_LIMITER_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "call.hpp"
#include "limiter.h"
#include "result.hpp"

namespace mediagen {

// What was decided, about the tightest of the rules that were asked. True when allowed.
struct decision {
  bool allowed = false;
  bool degraded = false;
  std::string_view rule;  // the limiter's, as long as it lives
  int64_t limit = 0, window_ms = 0, remaining = 0, reset_after_ms = 0, retry_after_ms = 0;
  explicit operator bool() const { return allowed; }
};

// Decides whether something may happen now, by rule and key. Thread-safe.
class limiter {
 public:
  // {"rules": {"generations": "5/min"}, "url": "memory:", "maxKeys": 1048576}
  static result<limiter> open(std::string_view config) {
    mediagen_limiter* opened = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_limiter_open(MEDIAGEN_ABI, detail::str(config), &opened, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return limiter(opened);
  }
  explicit limiter(mediagen_limiter* adopted) : handle_(adopted) {}

  result<decision> check(std::string_view rule, std::string_view key, int64_t cost = 1) {
    mediagen_decision out = {};
    out.struct_size = sizeof out;
    int32_t code = mediagen_limiter_check(handle(), detail::str(rule), detail::str(key), cost, &out);
    if (code < 0) return detail::take_error(code, nullptr);
    return read(out);
  }
  // "rule\tkey\tcost\n" each, decided in one atomic step.
  result<decision> check_all(std::string_view checks) {
    mediagen_decision out = {};
    out.struct_size = sizeof out;
    int32_t code = mediagen_limiter_check_all(handle(), detail::str(checks), &out);
    if (code < 0) return detail::take_error(code, nullptr);
    return read(out);
  }
  // The same without ever waiting; its result is a document.
  call check_async(std::string_view checks, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_limiter_check_begin(handle(), detail::str(checks), to.inbox, to.tag, out, err);
    });
  }
  result<nothing> refund(std::string_view checks) {
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_limiter_refund(handle(), detail::str(checks), &raised);
    if (code < 0) return detail::take_error(code, raised);
    return nothing();
  }

  // A decision and, when allowed, the lease on what was taken.
  struct reservation {
    mediagen::decision decision;
    std::optional<std::string> lease;
  };
  result<reservation> reserve(std::string_view checks) {
    mediagen_decision out = {};
    out.struct_size = sizeof out;
    mediagen_buffer* lease = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_limiter_reserve(handle(), detail::str(checks), &out, &lease, &raised);
    if (code < 0) return detail::take_error(code, raised);
    reservation made{read(out), std::nullopt};
    if (lease != nullptr) {
      const mediagen_str text = mediagen_buffer_view(lease);
      made.lease.emplace(text.data, text.size);
      mediagen_buffer_free(lease);
    }
    return made;
  }
  result<nothing> commit(std::string_view lease) {
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_limiter_commit(handle(), detail::str(lease), &raised);
    if (code < 0) return detail::take_error(code, raised);
    return nothing();
  }
  // False: nothing was given back, for it was before, has run out, or another limiter took it.
  result<bool> refund_lease(std::string_view lease) {
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_limiter_refund_lease(handle(), detail::str(lease), &raised);
    if (code < 0) return detail::take_error(code, raised);
    return code == MEDIAGEN_OK;
  }
  mediagen_limiter* handle() const { return handle_.get(); }

 private:
  static decision read(const mediagen_decision& out) {
    return {out.allowed != 0,   out.degraded != 0, {out.rule.data, out.rule.size},
            out.limit,          out.window_ms,     out.remaining,
            out.reset_after_ms, out.retry_after_ms};
  }
  detail::handle<mediagen_limiter, mediagen_limiter_free> handle_;
};

}  // namespace mediagen

#endif
