// mediagen for C++20: the cache, with a loader function. See mediagen.hpp.
#ifndef MEDIAGEN_CACHE_HPP
#define MEDIAGEN_CACHE_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cache.h"
#include "call.hpp"
#include "result.hpp"

namespace mediagen {

namespace detail {

inline error make_error(int32_t code, std::string_view message) {
  error out;
  out.code = code;
  out.message = std::string(message);
  return out;
}
inline error nothing_there() { return make_error(MEDIAGEN_NOT_FOUND, "There is nothing under this key."); }

// The loads that this thread is in the middle of, innermost first.
class loading {
 public:
  loading(const mediagen_cache* cache, std::string_view key) : cache_(cache), key_(key), outer_(innermost()) {
    innermost() = this;
  }
  ~loading() { innermost() = outer_; }
  loading(const loading&) = delete;
  loading& operator=(const loading&) = delete;

  static bool within(const mediagen_cache* cache, std::string_view key) {
    for (const loading* mark = innermost(); mark != nullptr; mark = mark->outer_) {
      if (mark->cache_ == cache && mark->key_ == key) return true;
    }
    return false;
  }

 private:
  static loading*& innermost() {
    thread_local loading* mark = nullptr;
    return mark;
  }
  const mediagen_cache* cache_;
  std::string_view key_;
  loading* outer_;
};

}  // namespace detail

// Bytes by key within a budget, loaded once however many ask.
class cache {
 public:
  static result<cache> open(std::string_view config = {}) {
    mediagen_cache* opened = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_cache_open(MEDIAGEN_ABI, detail::str(config), &opened, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return cache(opened);
  }
  explicit cache(mediagen_cache* adopted) : handle_(adopted) {}

  std::optional<bytes> get(std::string_view key) {
    mediagen_buffer* value = nullptr;
    if (mediagen_cache_get(handle(), detail::str(key), &value) != MEDIAGEN_OK) return std::nullopt;
    return bytes(value);
  }
  // How an entry is kept: mediagen_entry_options, and what it is dropped by.
  struct entry {
    int64_t ttl_ms = 0, soft_ttl_ms = 0;
    double jitter = 0, cost = 1;
    bool negative = false, versioned = false;
    std::string_view tags = {};  // separated by '\n'

    mediagen_entry_options options() const {
      mediagen_entry_options out{};
      out.struct_size = sizeof out;
      out.ttl_ms = ttl_ms;
      out.soft_ttl_ms = soft_ttl_ms;
      out.jitter = jitter;
      out.cost = cost;
      if (negative) out.flags |= MEDIAGEN_ENTRY_NEGATIVE;
      if (versioned) out.flags |= MEDIAGEN_ENTRY_VERSIONED;
      return out;
    }
  };
  // MEDIAGEN_ADMITTED, _REFUSED or _ENTRY_TOO_LARGE.
  result<int32_t> put(std::string_view key, std::string_view value, const entry& how) {
    int32_t admission = 0;
    mediagen_error* raised = nullptr;
    const mediagen_entry_options options = how.options();
    int32_t code = mediagen_cache_put(handle(), detail::str(key), detail::str(value), &options,
                                      detail::str(how.tags), &admission, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return admission;
  }
  result<int32_t> put(std::string_view key, std::string_view value) { return put(key, value, entry()); }
  bool remove(std::string_view key) {
    return mediagen_cache_remove(handle(), detail::str(key)) == MEDIAGEN_OK;
  }
  void invalidate(std::string_view tag) { mediagen_cache_invalidate(handle(), detail::str(tag)); }
  void invalidate_prefix(std::string_view prefix) {
    mediagen_cache_invalidate_prefix(handle(), detail::str(prefix));
  }
  void clear() { mediagen_cache_clear(handle()); }
  // The key of one version of `key`'s content.
  static std::string versioned_key(std::string_view key, std::string_view version) {
    mediagen_buffer* out = nullptr;
    mediagen_cache_versioned_key(detail::str(key), detail::str(version), &out);
    return std::string(bytes(out).view());
  }

  // The value, or the token of a load that is now the caller's to end with fill, fail or abandon, or a call
  // that waits for somebody else's, or `negative`. A stale value with a token: this caller refreshes it.
  struct lookup {
    std::optional<bytes> value;
    uint64_t token = 0;
    std::optional<mediagen::call> pending;
    bool stale = false, negative = false;
  };
  result<lookup> get_or_begin(std::string_view key, int64_t load_timeout_ms, report to = {}) {
    lookup out;
    int32_t stale = 0;
    mediagen_buffer* value = nullptr;
    mediagen_call* pending = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_cache_get_or_begin(handle(), detail::str(key), load_timeout_ms, &out.token,
                                               &stale, to.inbox, to.tag, &value, &pending, &raised);
    if (code < 0) return detail::take_error(code, raised);
    if (value != nullptr) out.value = bytes(value);
    out.stale = stale != 0;
    out.negative = code == MEDIAGEN_EMPTY;
    if (code == MEDIAGEN_PENDING) out.pending.emplace(pending, code);
    return out;
  }
  // The value under `key`; when it is not there, what `load()` (a result<std::string>) makes, once however
  // many ask at this moment. A stale value is refreshed by the one caller who is asked to, and stands when
  // that fails. A negative entry is the error MEDIAGEN_NOT_FOUND; so is `load()` asking for its own key
  // MEDIAGEN_CONFLICT, where it would wait for itself.
  template <typename Load>
  result<bytes> get_or_load(std::string_view key, int64_t load_timeout_ms, Load load, const entry& how) {
    if (detail::loading::within(handle(), key))
      return detail::make_error(MEDIAGEN_CONFLICT, "The load of this key asks for the key itself.");
    result<lookup> found = get_or_begin(key, load_timeout_ms);
    if (!found) return found.error();
    if (found->negative) return detail::nothing_there();
    if (found->value && found->token == 0) return *std::move(found->value);
    uint64_t token = found->token;
    if (found->pending) {
      result<bytes> shared = found->pending->wait();
      token = found->pending->token();
      if (token == 0 && shared && !*shared) return detail::nothing_there();
      if (token == 0) return shared;  // else this caller was promoted
    }
    result<std::string> loaded = [&] {
      detail::loading mark(handle(), key);
      return load();
    }();
    if (!loaded) {
      (void)fail(token, loaded.error().message);
      if (found->value) return *std::move(found->value);
      return loaded.error();
    }
    (void)fill(token, *loaded, how);  // stale: the value is still this caller's
    mediagen_buffer* copy = nullptr;
    int32_t code = mediagen_buffer_copy(detail::str(*loaded), &copy);
    if (code < 0) return detail::take_error(code, nullptr);
    return bytes(copy);
  }
  template <typename Load>
  result<bytes> get_or_load(std::string_view key, int64_t load_timeout_ms, Load load) {
    return get_or_load(key, load_timeout_ms, std::move(load), entry());
  }
  // Charges the bytes of a load before they are made.
  result<nothing> reserve(uint64_t token, uint64_t size) {
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_cache_reserve(handle(), token, size, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return nothing();
  }
  result<nothing> fill(uint64_t token, std::string_view value, const entry& how) {
    mediagen_error* raised = nullptr;
    const mediagen_entry_options options = how.options();
    int32_t code =
        mediagen_cache_fill(handle(), token, detail::str(value), &options, detail::str(how.tags), &raised);
    if (code < 0) return detail::take_error(code, raised);
    return nothing();
  }
  result<nothing> fill(uint64_t token, std::string_view value) { return fill(token, value, entry()); }
  result<nothing> fail(uint64_t token, std::string_view message) {
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_cache_fail(handle(), token, detail::str(message), &raised);
    if (code < 0) return detail::take_error(code, raised);
    return nothing();
  }
  result<nothing> abandon(uint64_t token) {
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_cache_abandon(handle(), token, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return nothing();
  }
  bytes stats() {
    mediagen_buffer* out = nullptr;
    mediagen_cache_stats(handle(), &out);
    return bytes(out);
  }
  mediagen_cache* handle() const { return handle_.get(); }

 private:
  detail::handle<mediagen_cache, mediagen_cache_free> handle_;
};

}  // namespace mediagen

#endif
