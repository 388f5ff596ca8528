// mediagen for C++20: the components that work alone, too: store, queue, cache. See mediagen.hpp.
#ifndef MEDIAGEN_COMPONENTS_HPP
#define MEDIAGEN_COMPONENTS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cache.h"
#include "call.hpp"
#include "queue.h"
#include "record.h"
#include "result.hpp"

namespace mediagen {

// Host-defined JSON collections.
class store {
 public:
  static result<store> open(std::string_view config = {}) {
    mediagen_store* opened = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_store_open(MEDIAGEN_ABI, detail::str(config), &opened, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return store(opened);
  }
  explicit store(mediagen_store* adopted) : handle_(adopted) {}

  call define(std::string_view collection, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_store_define_begin(get(), detail::str(collection), to.inbox, to.tag, out, err);
    });
  }
  call batch(std::string_view writes, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_store_batch_begin(get(), detail::str(writes), to.inbox, to.tag, out, err);
    });
  }
  call get_many(std::string_view collection, std::string_view ids, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_store_get_many_begin(get(), detail::str(collection), detail::str(ids), to.inbox, to.tag,
                                           out, err);
    });
  }
  call list(std::string_view collection, std::string_view query = {}, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_store_list_begin(get(), detail::str(collection), detail::str(query), to.inbox, to.tag,
                                       out, err);
    });
  }
  mediagen_store* get() const { return handle_.get(); }

 private:
  detail::handle<mediagen_store, mediagen_store_free> handle_;
};

// Jobs that the host works itself. One handle is one worker.
class queue {
 public:
  static result<queue> open(std::string_view config = {}) {
    mediagen_queue* opened = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_queue_open(MEDIAGEN_ABI, detail::str(config), &opened, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return queue(opened);
  }
  explicit queue(mediagen_queue* adopted) : handle_(adopted) {}

  call enqueue(std::string_view jobs, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_enqueue_begin(handle(), detail::str(jobs), to.inbox, to.tag, out, err);
    });
  }
  call claim(std::string_view names, int32_t max = 1, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_claim_begin(handle(), detail::str(names), max, to.inbox, to.tag, out, err);
    });
  }
  call heartbeat(std::string_view id, uint64_t fence, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_heartbeat_begin(handle(), detail::str(id), fence, to.inbox, to.tag, out, err);
    });
  }
  call progress(std::string_view id, uint64_t fence, std::string_view made, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_progress_begin(handle(), detail::str(id), fence, detail::str(made), to.inbox,
                                           to.tag, out, err);
    });
  }
  call finish(std::string_view id, uint64_t fence, std::string_view outcome, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_finish_begin(handle(), detail::str(id), fence, detail::str(outcome), to.inbox,
                                         to.tag, out, err);
    });
  }
  call get(std::string_view id, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_get_begin(handle(), detail::str(id), to.inbox, to.tag, out, err);
    });
  }
  call cancel(std::string_view id, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_cancel_begin(handle(), detail::str(id), to.inbox, to.tag, out, err);
    });
  }
  call checkpoint(std::string_view id, uint64_t fence, std::string_view kept, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_checkpoint_begin(handle(), detail::str(id), fence, detail::str(kept), to.inbox,
                                             to.tag, out, err);
    });
  }
  call log(std::string_view id, uint64_t fence, std::string_view line, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_log_begin(handle(), detail::str(id), fence, detail::str(line), to.inbox, to.tag,
                                      out, err);
    });
  }
  call read_result(std::string_view id, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_result_begin(handle(), detail::str(id), to.inbox, to.tag, out, err);
    });
  }
  call retry(std::string_view id, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_retry_begin(handle(), detail::str(id), to.inbox, to.tag, out, err);
    });
  }
  call retry_all(std::string_view which, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_retry_all_begin(handle(), detail::str(which), to.inbox, to.tag, out, err);
    });
  }
  call list(std::string_view resource, std::string_view query = {}, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_list_begin(handle(), detail::str(resource), detail::str(query), to.inbox, to.tag,
                                       out, err);
    });
  }
  call configure(std::string_view name, std::string_view settings, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_configure_begin(handle(), detail::str(name), detail::str(settings), to.inbox,
                                            to.tag, out, err);
    });
  }

  mediagen_queue* handle() const { return handle_.get(); }

 private:
  detail::handle<mediagen_queue, mediagen_queue_free> handle_;
};

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
  // MEDIAGEN_ADMITTED, _REFUSED or _ENTRY_TOO_LARGE. `tags` are separated by '\n'.
  result<int32_t> put(std::string_view key, std::string_view value, int64_t ttl_ms = 0,
                      std::string_view tags = {}) {
    int32_t admission = 0;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_cache_put(handle(), detail::str(key), detail::str(value), ttl_ms,
                                      detail::str(tags), &admission, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return admission;
  }
  bool remove(std::string_view key) {
    return mediagen_cache_remove(handle(), detail::str(key)) == MEDIAGEN_OK;
  }
  void invalidate(std::string_view tag) { mediagen_cache_invalidate(handle(), detail::str(tag)); }

  // The value, or the token of a load that is now the caller's to end with fill or fail, or a call that waits
  // for somebody else's.
  struct lookup {
    std::optional<bytes> value;
    uint64_t token = 0;
    std::optional<mediagen::call> pending;
  };
  result<lookup> get_or_begin(std::string_view key, int64_t load_timeout_ms, report to = {}) {
    lookup out;
    mediagen_buffer* value = nullptr;
    mediagen_call* pending = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_cache_get_or_begin(handle(), detail::str(key), load_timeout_ms, &out.token,
                                               to.inbox, to.tag, &value, &pending, &raised);
    if (code < 0) return detail::take_error(code, raised);
    if (code == MEDIAGEN_OK) out.value = bytes(value);
    if (code == MEDIAGEN_PENDING) out.pending.emplace(pending, code);
    return out;
  }
  // The value under `key`; when it is not there, what `load()` (a result<std::string>) makes, once however
  // many ask at this moment.
  template <typename Load>
  result<bytes> get_or_load(std::string_view key, int64_t load_timeout_ms, Load load, int64_t ttl_ms = 0,
                            std::string_view tags = {}) {
    result<lookup> found = get_or_begin(key, load_timeout_ms);
    if (!found) return found.error();
    if (found->value) return *std::move(found->value);
    uint64_t token = found->token;
    if (found->pending) {
      result<bytes> shared = found->pending->wait();
      token = found->pending->token();
      if (token == 0) return shared;  // else this caller was promoted
    }
    result<std::string> loaded = load();
    if (!loaded) {
      (void)fail(token, loaded.error().message);
      return loaded.error();
    }
    (void)fill(token, *loaded, ttl_ms, tags);  // stale: the value is still this caller's
    mediagen_buffer* copy = nullptr;
    int32_t code = mediagen_buffer_copy(detail::str(*loaded), &copy);
    if (code < 0) return detail::take_error(code, nullptr);
    return bytes(copy);
  }
  result<nothing> fill(uint64_t token, std::string_view value, int64_t ttl_ms = 0,
                       std::string_view tags = {}) {
    mediagen_error* raised = nullptr;
    int32_t code =
        mediagen_cache_fill(handle(), token, detail::str(value), ttl_ms, detail::str(tags), &raised);
    if (code < 0) return detail::take_error(code, raised);
    return nothing();
  }
  result<nothing> fail(uint64_t token, std::string_view message) {
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_cache_fail(handle(), token, detail::str(message), &raised);
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
