// mediagen for C++20: the components that work alone, too: store and queue (cache.hpp has the cache). See
// mediagen.hpp.
#ifndef MEDIAGEN_COMPONENTS_HPP
#define MEDIAGEN_COMPONENTS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

}  // namespace mediagen

#endif
