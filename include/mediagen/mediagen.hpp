// mediagen for C++20: a header-only face over the C ABI. Nothing here adds behaviour: handles free themselves, errors are values, documents are
// JSON text (parse them with what you like).
//
//   auto engine = mediagen::engine::open(R"({"dataDir": "./data"})").value();
//   mediagen::result<mediagen::bytes> record = engine.submit(R"({"user": "u1", "prompt": "a red fox in snow"})").wait();
//   if (!record) std::cerr << record.error().message;
//
// Thread safety, ownership and every document are those of the C headers. Nothing throws, except value() on an error (mediagen::failure).
#ifndef MEDIAGEN_HPP
#define MEDIAGEN_HPP

#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mediagen.h"

namespace mediagen {

// What went wrong: the code (MEDIAGEN_INVALID …), the sentence, what to do about it, and the whole document.
struct error {
  int32_t code = MEDIAGEN_OK;
  std::string message, hint, json;
};

class failure : public std::exception {
 public:
  explicit failure(mediagen::error what) : error_(std::move(what)) {}
  const char* what() const noexcept override { return error_.message.c_str(); }
  const mediagen::error& error() const noexcept { return error_; }

 private:
  mediagen::error error_;
};

// A value or an error.
template <typename T>
class [[nodiscard]] result {
 public:
  result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  result(mediagen::error error) : held_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }
  // Only when ok().
  T& operator*() & { return std::get<0>(held_); }
  const T& operator*() const& { return std::get<0>(held_); }
  T&& operator*() && { return std::get<0>(std::move(held_)); }
  T* operator->() { return &std::get<0>(held_); }
  const T* operator->() const { return &std::get<0>(held_); }
  // Only when not ok().
  const mediagen::error& error() const { return std::get<1>(held_); }

  // The value, or throws mediagen::failure.
  T& value() & { return check(), **this; }
  T&& value() && { return check(), *std::move(*this); }

 private:
  void check() const {
    if (!ok()) throw failure(error());
  }
  std::variant<T, mediagen::error> held_;
};

// Of operations that have no value.
struct nothing {};

namespace detail {

inline mediagen_str str(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(mediagen_str text) { return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size); }

// The string under a top-level key of an error document, which the library writes compactly; "" for null.
inline std::string field(std::string_view json, std::string_view quoted_key) {
  size_t at = json.find(quoted_key);
  if (at == std::string_view::npos || json.substr(at + quoted_key.size(), 2) != ":\"") return {};
  std::string text;
  for (size_t i = at + quoted_key.size() + 2; i < json.size() && json[i] != '"'; ++i) {
    char c = json[i];
    if (c == '\\' && ++i < json.size()) {
      switch (json[i]) {
        case 'n': c = '\n'; break;
        case 't': c = '\t'; break;
        case 'u': c = '?', i += 4; break;  // a control character
        default: c = json[i];
      }
    }
    text.push_back(c);
  }
  return text;
}

// Takes over `raised` (may be NULL).
inline error take_error(int32_t code, mediagen_error* raised) {
  error out;
  out.code = code;
  out.json = std::string(view(mediagen_error_json(raised)));
  mediagen_error_free(raised);
  out.message = field(out.json, "\"message\"");
  out.hint = field(out.json, "\"hint\"");
  if (out.message.empty()) out.message = mediagen_code_name(code);
  return out;
}

template <auto Free>
struct freer {
  template <typename T>
  void operator()(T* handle) const noexcept { Free(handle); }
};
template <typename T, auto Free>
using handle = std::unique_ptr<T, freer<Free>>;

}  // namespace detail

// Immutable, shared bytes. Copies share; may be null.
class bytes {
 public:
  bytes() = default;
  explicit bytes(mediagen_buffer* adopted) : buffer_(adopted) {}
  bytes(const bytes& other) : buffer_(mediagen_buffer_ref(other.buffer_)) {}
  bytes(bytes&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  bytes& operator=(bytes other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~bytes() { mediagen_buffer_free(buffer_); }

  explicit operator bool() const { return buffer_ != nullptr; }
  std::string_view view() const { return detail::view(mediagen_buffer_view(buffer_)); }
  std::span<const uint8_t> span() const { return {reinterpret_cast<const uint8_t*>(view().data()), view().size()}; }
  std::string string() const { return std::string(view()); }

 private:
  mediagen_buffer* buffer_ = nullptr;
};

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

  // The result document, waiting for it; MEDIAGEN_TIMEOUT as an error when it is still under way (it goes on).
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

// Events in order, as they come. Needs an inbox of its own and blocks in its iterator; a loop that watches many things uses engine::subscribe.
class subscription {
 public:
  subscription(inbox events, call under_way) : inbox_(std::move(events)), call_(std::move(under_way)) {}

  // The next event document, waiting up to timeout_ms (< 0: for ever); empty at the end or when the time is over.
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
      if (event) event_ = *std::move(event);
      else from_ = nullptr;
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
  // The body or its next piece; the caller owns what is in it (mediagen/http.h). MEDIAGEN_EMPTY as an error: none yet.
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
    return detail::start([&](auto out, auto err) { return mediagen_store_define_begin(get(), detail::str(collection), to.inbox, to.tag, out, err); });
  }
  call batch(std::string_view writes, report to = {}) {
    return detail::start([&](auto out, auto err) { return mediagen_store_batch_begin(get(), detail::str(writes), to.inbox, to.tag, out, err); });
  }
  call get_many(std::string_view collection, std::string_view ids, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_store_get_many_begin(get(), detail::str(collection), detail::str(ids), to.inbox, to.tag, out, err);
    });
  }
  call list(std::string_view collection, std::string_view query = {}, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_store_list_begin(get(), detail::str(collection), detail::str(query), to.inbox, to.tag, out, err);
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
    return detail::start([&](auto out, auto err) { return mediagen_queue_enqueue_begin(handle(), detail::str(jobs), to.inbox, to.tag, out, err); });
  }
  call claim(std::string_view names, int32_t max = 1, report to = {}) {
    return detail::start([&](auto out, auto err) { return mediagen_queue_claim_begin(handle(), detail::str(names), max, to.inbox, to.tag, out, err); });
  }
  call heartbeat(std::string_view id, uint64_t fence, report to = {}) {
    return detail::start([&](auto out, auto err) { return mediagen_queue_heartbeat_begin(handle(), detail::str(id), fence, to.inbox, to.tag, out, err); });
  }
  call progress(std::string_view id, uint64_t fence, std::string_view made, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_progress_begin(handle(), detail::str(id), fence, detail::str(made), to.inbox, to.tag, out, err);
    });
  }
  call finish(std::string_view id, uint64_t fence, std::string_view outcome, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_queue_finish_begin(handle(), detail::str(id), fence, detail::str(outcome), to.inbox, to.tag, out, err);
    });
  }
  call get(std::string_view id, report to = {}) {
    return detail::start([&](auto out, auto err) { return mediagen_queue_get_begin(handle(), detail::str(id), to.inbox, to.tag, out, err); });
  }
  call cancel(std::string_view id, report to = {}) {
    return detail::start([&](auto out, auto err) { return mediagen_queue_cancel_begin(handle(), detail::str(id), to.inbox, to.tag, out, err); });
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
  result<int32_t> put(std::string_view key, std::string_view value, int64_t ttl_ms = 0, std::string_view tags = {}) {
    int32_t admission = 0;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_cache_put(handle(), detail::str(key), detail::str(value), ttl_ms, detail::str(tags), &admission, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return admission;
  }
  bool remove(std::string_view key) { return mediagen_cache_remove(handle(), detail::str(key)) == MEDIAGEN_OK; }
  void invalidate(std::string_view tag) { mediagen_cache_invalidate(handle(), detail::str(tag)); }

  // The value, or the token of a load that is now the caller's to end with fill or fail, or a call that waits for somebody else's.
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
    int32_t code = mediagen_cache_get_or_begin(handle(), detail::str(key), load_timeout_ms, &out.token, to.inbox, to.tag, &value, &pending, &raised);
    if (code < 0) return detail::take_error(code, raised);
    if (code == MEDIAGEN_OK) out.value = bytes(value);
    if (code == MEDIAGEN_PENDING) out.pending.emplace(pending, code);
    return out;
  }
  // The value under `key`; when it is not there, what `load()` (a result<std::string>) makes, once however many ask at this moment.
  template <typename Load>
  result<bytes> get_or_load(std::string_view key, int64_t load_timeout_ms, Load load, int64_t ttl_ms = 0, std::string_view tags = {}) {
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
  result<nothing> fill(uint64_t token, std::string_view value, int64_t ttl_ms = 0, std::string_view tags = {}) {
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_cache_fill(handle(), token, detail::str(value), ttl_ms, detail::str(tags), &raised);
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
    return detail::start([&](auto out, auto err) { return mediagen_submit_begin(get(), detail::str(request), to.inbox, to.tag, out, err); });
  }
  call cancel(std::string_view id, std::string_view principal = {}, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_cancel_begin(get(), detail::str(principal), detail::str(id), to.inbox, to.tag, out, err);
    });
  }
  // Ends when the generation rests.
  call await(std::string_view id, std::string_view principal = {}, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_await_begin(get(), detail::str(principal), detail::str(id), to.inbox, to.tag, out, err);
    });
  }
  call record(std::string_view resource, std::string_view id, std::string_view principal = {}, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_get_begin(get(), detail::str(principal), detail::str(resource), detail::str(id), to.inbox, to.tag, out, err);
    });
  }
  call list(std::string_view resource, std::string_view query = {}, std::string_view principal = {}, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_list_begin(get(), detail::str(principal), detail::str(resource), detail::str(query), to.inbox, to.tag, out, err);
    });
  }
  call publish(std::string_view topic, std::string_view user, std::string_view data, report to = {}) {
    return detail::start([&](auto out, auto err) {
      return mediagen_publish_begin(get(), detail::str(topic), detail::str(user), detail::str(data), to.inbox, to.tag, out, err);
    });
  }
  // EVENTs arrive in the inbox until the call is canceled or freed.
  call subscribe(std::string_view filter, std::string_view principal, report to) {
    return detail::start([&](auto out, auto err) {
      return mediagen_subscribe(get(), detail::str(principal), detail::str(filter), to.inbox, to.tag, out, err);
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
  exchange handle(std::string_view method, std::string_view target, std::string_view headers = {}, std::string_view principal = {},
                  std::string_view mount = {}, report to = {}) {
    return exchange(detail::start([&](auto out, auto err) {
      return mediagen_handle_begin(get(), detail::str(method), detail::str(target), detail::str(headers), detail::str(principal), detail::str(mount),
                                   to.inbox, to.tag, out, err);
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
  // "workers": "manual": does what is due on this thread; how many ms until it is wanted again (-1: until something is submitted).
  result<int64_t> run(int64_t budget_ms) {
    int64_t due = -1;
    mediagen_error* raised = nullptr;
    int32_t code = mediagen_run(get(), budget_ms, &due, &raised);
    if (code < 0) return detail::take_error(code, raised);
    return due;
  }
  call close(int64_t grace_ms = 0, report to = {}) {
    return detail::start([&](auto out, auto err) { return mediagen_close_begin(get(), grace_ms, to.inbox, to.tag, out, err); });
  }
  mediagen_engine* get() const { return handle_.get(); }

 private:
  explicit engine(mediagen_engine* adopted) : handle_(adopted) {}
  detail::handle<mediagen_engine, mediagen_engine_free> handle_;
};

}  // namespace mediagen

#include <poll.h>

#include <chrono>

inline std::optional<mediagen::bytes> mediagen::subscription::next(int64_t timeout_ms) {
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

#endif
