// mediagen for C++20: a header-only face over the C ABI. Nothing here adds behaviour: handles free
// themselves, errors are values, documents are JSON text (parse them with what you like).
//
//   auto engine = mediagen::engine::open(R"({"dataDir": "./data"})").value();
//   mediagen::result<mediagen::bytes> record = engine.submit(R"({"user": "u1", "prompt": "a red fox in
//   snow"})").wait(); if (!record) std::cerr << record.error().message;
//
// Thread safety, ownership and every document are those of the C headers. Nothing throws, except value() on
// an error (mediagen::failure).
#ifndef MEDIAGEN_HPP
#define MEDIAGEN_HPP

#include <cstdint>
#include <string_view>
#include <utility>

#include "cache.hpp"
#include "call.hpp"
#include "components.hpp"
#include "limiter.hpp"
#include "mediagen.h"
#include "result.hpp"

namespace mediagen {

// The whole pipeline over one configuration.
class engine {
 public:
  static result<engine> open(std::string_view config = {}) {
    mediagen_engine* opened = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_open(MEDIAGEN_ABI, detail::str(config), &opened, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return engine(opened);
  }

  call submit(std::string_view request, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_submit_begin(get(), detail::str(request), to.inbox, to.tag, out, err);
    });
  }
  call cancel(std::string_view id, std::string_view principal = {}, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_cancel_begin(get(), detail::str(principal), detail::str(id), to.inbox, to.tag, out,
                                   err);
    });
  }
  call retry(std::string_view id, std::string_view principal = {}, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_retry_begin(get(), detail::str(principal), detail::str(id), to.inbox, to.tag, out, err);
    });
  }
  call abandon(std::string_view id, std::string_view principal = {}, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_abandon_begin(get(), detail::str(principal), detail::str(id), to.inbox, to.tag, out,
                                    err);
    });
  }
  // A picture or video of somebody's; `bytes` are read during this call only.
  call upload(std::string_view bytes, std::string_view metadata = {}, std::string_view principal = {},
              report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_upload_begin(get(), detail::str(principal), detail::str(metadata), detail::str(bytes),
                                   to.inbox, to.tag, out, err);
    });
  }
  // Ends when the generation rests.
  call await(std::string_view id, std::string_view principal = {}, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_await_begin(get(), detail::str(principal), detail::str(id), to.inbox, to.tag, out, err);
    });
  }
  call record(std::string_view resource, std::string_view id, std::string_view principal = {},
              report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_get_begin(get(), detail::str(principal), detail::str(resource), detail::str(id),
                                to.inbox, to.tag, out, err);
    });
  }
  call list(std::string_view resource, std::string_view query = {}, std::string_view principal = {},
            report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_list_begin(get(), detail::str(principal), detail::str(resource), detail::str(query),
                                 to.inbox, to.tag, out, err);
    });
  }
  call publish(std::string_view topic, std::string_view user, std::string_view data, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_publish_begin(get(), detail::str(topic), detail::str(user), detail::str(data), to.inbox,
                                    to.tag, out, err);
    });
  }
  // EVENTs arrive in the inbox until the call is canceled or freed.
  call subscribe(std::string_view filter, std::string_view principal, report to) {
    return detail::start([&](auto out, auto err) {
      return mediagen_subscribe(get(), detail::str(principal), detail::str(filter), to.inbox, to.tag, out,
                                err);
    });
  }
  // The same with an inbox of its own, to be iterated.
  result<subscription> events(std::string_view filter = {}, std::string_view principal = {}) {
    result<inbox> own = inbox::make();
    if (!own) return own.error();
    call begun = subscribe(filter, principal, report(*own, 1));
    if (!begun.begun()) return begun.refusal();
    return subscription(*std::move(own), std::move(begun));
  }
  // A signed URL for a picture or video, for ttl_ms (rounded up to the hour).
  result<bytes> sign_url(std::string_view target, int64_t ttl_ms, std::string_view method = "GET",
                         std::string_view mount = {}) {
    mediagen_buffer* url = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_sign_url(get(), detail::str(method), detail::str(target), detail::str(mount),
                                     ttl_ms, &url, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return bytes(url);
  }
  exchange handle(std::string_view method, std::string_view target, std::string_view headers = {},
                  std::string_view principal = {}, std::string_view mount = {}, report to = {}) {
    return exchange(detail::start([&](auto out, auto err) {
      return mediagen_handle_begin(get(), detail::str(method), detail::str(target), detail::str(headers),
                                   detail::str(principal), detail::str(mount), to.inbox, to.tag, out, err);
    }));
  }
  result<mediagen::store> store() {
    mediagen_store* opened = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_engine_store(get(), &opened, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return mediagen::store(opened);
  }
  result<mediagen::queue> queue() {
    mediagen_queue* opened = nullptr;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_engine_queue(get(), &opened, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return mediagen::queue(opened);
  }
  // "workers": "manual": does what is due on this thread; how many ms until it is wanted again (-1: until
  // something is submitted).
  result<int64_t> run(int64_t budget_ms) {
    int64_t due = -1;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_run(get(), budget_ms, &due, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return due;
  }
  call close(int64_t grace_ms = 0, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_close_begin(get(), grace_ms, to.inbox, to.tag, out, err);
    });
  }
  mediagen_engine* get() const { return handle_.get(); }

 private:
  explicit engine(mediagen_engine* adopted) : handle_(adopted) {}
  detail::handle<mediagen_engine, mediagen_engine_free> handle_;
};

}  // namespace mediagen

#endif
