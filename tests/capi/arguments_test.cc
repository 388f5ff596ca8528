// NULL and fork rows of every function: one table, run twice.
#include <doctest/doctest.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "capi/fake_engine.h"
#include "capi/host.h"
#include "support/child.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

// One handle of every kind, made before the fork.
struct Handles {
  OwnedInbox inbox = NewInbox();
  OwnedEngine engine = OpenEngine();
  OwnedStore store;
  OwnedQueue queue;
  OwnedCache cache;
  OwnedCall call, request;

  Handles() {
    mediagen_store* s = nullptr;
    mediagen_queue* q = nullptr;
    mediagen_cache* c = nullptr;
    mediagen_call* pending = nullptr;
    REQUIRE(mediagen_engine_store(engine.get(), &s, nullptr) == MEDIAGEN_OK);
    store.reset(s);
    REQUIRE(mediagen_engine_queue(engine.get(), &q, nullptr) == MEDIAGEN_OK);
    queue.reset(q);
    REQUIRE(mediagen_cache_open(MEDIAGEN_ABI, S(""), &c, nullptr) == MEDIAGEN_OK);
    cache.reset(c);
    REQUIRE(mediagen_submit_begin(engine.get(), S("later"), inbox.get(), 1, &pending, nullptr) ==
            MEDIAGEN_PENDING);
    call.reset(pending);
    REQUIRE(mediagen_handle_begin(engine.get(), S("POST"), S("/"), S(""), S(""), S(""), nullptr, 2, &pending,
                                  nullptr) == MEDIAGEN_PENDING);
    request.reset(pending);
  }
};

// The raw pointers that a row uses: the real ones, or NULL for one of them.
struct Arguments {
  mediagen_engine* engine;
  mediagen_store* store;
  mediagen_queue* queue;
  mediagen_cache* cache;
  mediagen_call* call;
  mediagen_call* request;
  mediagen_inbox* inbox;
};

struct Row {
  const char* name;
  std::function<int32_t(const Arguments&, mediagen_call**, mediagen_error**)> run;
};

const mediagen_str kNone = {nullptr, 0};

std::vector<Row> EngineRows() {
  return {
      {"close_begin",
       [](auto& a, auto out, auto err) { return mediagen_close_begin(a.engine, 0, nullptr, 0, out, err); }},
      {"run", [](auto& a, auto, auto err) { return mediagen_run(a.engine, 0, nullptr, err); }},
      {"submit_begin", [](auto& a, auto out,
                          auto err) { return mediagen_submit_begin(a.engine, kNone, nullptr, 0, out, err); }},
      {"cancel_begin",
       [](auto& a, auto out, auto err) {
         return mediagen_cancel_begin(a.engine, kNone, kNone, nullptr, 0, out, err);
       }},
      {"retry_begin",
       [](auto& a, auto out, auto err) {
         return mediagen_retry_begin(a.engine, kNone, kNone, nullptr, 0, out, err);
       }},
      {"abandon_begin",
       [](auto& a, auto out, auto err) {
         return mediagen_abandon_begin(a.engine, kNone, kNone, nullptr, 0, out, err);
       }},
      {"await_begin",
       [](auto& a, auto out, auto err) {
         return mediagen_await_begin(a.engine, kNone, kNone, nullptr, 0, out, err);
       }},
      {"upload_begin",
       [](auto& a, auto out, auto err) {
         return mediagen_upload_begin(a.engine, kNone, kNone, kNone, nullptr, 0, out, err);
       }},
      {"get_begin",
       [](auto& a, auto out, auto err) {
         return mediagen_get_begin(a.engine, kNone, kNone, kNone, nullptr, 0, out, err);
       }},
      {"list_begin",
       [](auto& a, auto out, auto err) {
         return mediagen_list_begin(a.engine, kNone, kNone, kNone, nullptr, 0, out, err);
       }},
      {"subscribe",
       [](auto& a, auto out, auto err) {
         return mediagen_subscribe(a.engine, kNone, kNone, a.inbox, 0, out, err);
       }},
      {"publish_begin",
       [](auto& a, auto out, auto err) {
         return mediagen_publish_begin(a.engine, kNone, kNone, kNone, nullptr, 0, out, err);
       }},
      {"handle_begin",
       [](auto& a, auto out, auto err) {
         return mediagen_handle_begin(a.engine, kNone, kNone, kNone, kNone, kNone, nullptr, 0, out, err);
       }},
      {"sign_url",
       [](auto& a, auto out, auto err) {
         return mediagen_sign_url(a.engine, kNone, kNone, kNone, 1, reinterpret_cast<mediagen_buffer**>(out),
                                  err);
       }},
      {"engine_store",
       [](auto& a, auto out, auto err) {
         return mediagen_engine_store(a.engine, reinterpret_cast<mediagen_store**>(out), err);
       }},
      {"engine_queue",
       [](auto& a, auto out, auto err) {
         return mediagen_engine_queue(a.engine, reinterpret_cast<mediagen_queue**>(out), err);
       }},
  };
}

std::vector<Row> StoreAndQueueRows() {
  return {
      {"store_define",
       [](auto& a, auto out, auto err) {
         return mediagen_store_define_begin(a.store, kNone, nullptr, 0, out, err);
       }},
      {"store_batch",
       [](auto& a, auto out, auto err) {
         return mediagen_store_batch_begin(a.store, kNone, nullptr, 0, out, err);
       }},
      {"store_get_many",
       [](auto& a, auto out, auto err) {
         return mediagen_store_get_many_begin(a.store, kNone, kNone, nullptr, 0, out, err);
       }},
      {"store_list",
       [](auto& a, auto out, auto err) {
         return mediagen_store_list_begin(a.store, kNone, kNone, nullptr, 0, out, err);
       }},
      {"enqueue",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_enqueue_begin(a.queue, kNone, nullptr, 0, out, err);
       }},
      {"claim", [](auto& a, auto out,
                   auto err) { return mediagen_queue_claim_begin(a.queue, kNone, 1, nullptr, 0, out, err); }},
      {"heartbeat",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_heartbeat_begin(a.queue, kNone, 1, nullptr, 0, out, err);
       }},
      {"progress",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_progress_begin(a.queue, kNone, 1, kNone, nullptr, 0, out, err);
       }},
      {"finish",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_finish_begin(a.queue, kNone, 1, kNone, nullptr, 0, out, err);
       }},
      {"queue_get", [](auto& a, auto out,
                       auto err) { return mediagen_queue_get_begin(a.queue, kNone, nullptr, 0, out, err); }},
      {"queue_cancel",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_cancel_begin(a.queue, kNone, nullptr, 0, out, err);
       }},
      {"queue_result",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_result_begin(a.queue, kNone, nullptr, 0, out, err);
       }},
      {"checkpoint",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_checkpoint_begin(a.queue, kNone, 1, kNone, nullptr, 0, out, err);
       }},
      {"log",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_log_begin(a.queue, kNone, 1, kNone, nullptr, 0, out, err);
       }},
      {"queue_retry",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_retry_begin(a.queue, kNone, nullptr, 0, out, err);
       }},
      {"queue_retry_all",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_retry_all_begin(a.queue, kNone, nullptr, 0, out, err);
       }},
      {"queue_list",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_list_begin(a.queue, kNone, kNone, nullptr, 0, out, err);
       }},
      {"queue_configure",
       [](auto& a, auto out, auto err) {
         return mediagen_queue_configure_begin(a.queue, kNone, kNone, nullptr, 0, out, err);
       }},
  };
}

std::vector<Row> CacheRows() {
  static mediagen_buffer* value;
  static uint64_t token;
  return {
      {"cache_get", [](auto& a, auto, auto) { return mediagen_cache_get(a.cache, kNone, &value); }},
      {"cache_put",
       [](auto& a, auto, auto err) {
         return mediagen_cache_put(a.cache, kNone, kNone, nullptr, kNone, nullptr, err);
       }},
      {"cache_remove", [](auto& a, auto, auto) { return mediagen_cache_remove(a.cache, kNone); }},
      {"cache_invalidate", [](auto& a, auto, auto) { return mediagen_cache_invalidate(a.cache, kNone); }},
      {"cache_get_or_begin",
       [](auto& a, auto out, auto err) {
         return mediagen_cache_get_or_begin(a.cache, kNone, 1, &token, nullptr, nullptr, 0, &value, out, err);
       }},
      {"cache_fill",
       [](auto& a, auto, auto err) { return mediagen_cache_fill(a.cache, 1, kNone, nullptr, kNone, err); }},
      {"cache_reserve", [](auto& a, auto, auto err) { return mediagen_cache_reserve(a.cache, 1, 1, err); }},
      {"cache_abandon", [](auto& a, auto, auto err) { return mediagen_cache_abandon(a.cache, 1, err); }},
      {"cache_clear", [](auto& a, auto, auto) { return mediagen_cache_clear(a.cache); }},
      {"cache_invalidate_prefix",
       [](auto& a, auto, auto) { return mediagen_cache_invalidate_prefix(a.cache, kNone); }},
      {"cache_fail", [](auto& a, auto, auto err) { return mediagen_cache_fail(a.cache, 1, kNone, err); }},
      {"cache_stats", [](auto& a, auto, auto) { return mediagen_cache_stats(a.cache, &value); }},
  };
}

std::vector<Row> CallRows() {
  static mediagen_buffer* value;
  static uint64_t tag;
  static size_t taken;
  static int32_t number;
  static mediagen_str headers;
  static mediagen_body body = {sizeof(mediagen_body), 0, 0, nullptr, 0, 0};
  return {
      {"inbox_next", [](auto& a, auto, auto) { return mediagen_inbox_next(a.inbox, &tag, &number, &value); }},
      {"call_wait", [](auto& a, auto, auto err) { return mediagen_call_wait(a.call, 0, err); }},
      {"call_result", [](auto& a, auto, auto err) { return mediagen_call_result(a.call, &value, err); }},
      {"call_write", [](auto& a, auto, auto) { return mediagen_call_write(a.request, kNone, &taken); }},
      {"call_end", [](auto& a, auto, auto) { return mediagen_call_end(a.request); }},
      {"response_head",
       [](auto& a, auto, auto) { return mediagen_response_head(a.request, &number, &headers); }},
      {"response_body", [](auto& a, auto, auto) { return mediagen_response_body(a.request, &body); }},
  };
}

std::vector<Row> Rows() {
  std::vector<Row> rows;
  for (auto& some : {EngineRows(), StoreAndQueueRows(), CacheRows(), CallRows()})
    rows.insert(rows.end(), some.begin(), some.end());
  return rows;
}

}  // namespace

TEST_CASE("every function refuses a NULL handle as invalid and sets its results to NULL") {
  const Arguments null{};
  for (const Row& row : Rows()) {
    INFO(row.name);
    auto* out = reinterpret_cast<mediagen_call*>(1);
    mediagen_error* error = nullptr;
    CHECK(row.run(null, &out, &error) == MEDIAGEN_INVALID);
    CHECK(
        (out == nullptr || out == reinterpret_cast<mediagen_call*>(1)));  // the latter: it has no such result
    if (error != nullptr) {
      CHECK(mediagen_error_code(error) == MEDIAGEN_INVALID);
      CHECK(Json::parse(Text(mediagen_error_json(error)))["message"].get<std::string>().find(
                "must not be NULL") != std::string::npos);
    }
    mediagen_error_free(error);
    CHECK(row.run(null, &out, nullptr) == MEDIAGEN_INVALID);
  }
}

TEST_CASE("every begin refuses a NULL result pointer, and bytes that are NULL but not empty") {
  Handles h;
  const Arguments a{h.engine.get(), h.store.get(),   h.queue.get(), h.cache.get(),
                    h.call.get(),   h.request.get(), h.inbox.get()};
  for (const auto& rows : {EngineRows(), StoreAndQueueRows()}) {
    for (const Row& row : rows) {
      INFO(row.name);
      if (std::string(row.name) == "run") continue;  // it has none
      CHECK(row.run(a, nullptr, nullptr) == MEDIAGEN_INVALID);
    }
  }
  mediagen_call* out = nullptr;
  const mediagen_str bad = {nullptr, 3};
  CHECK(mediagen_submit_begin(h.engine.get(), bad, nullptr, 0, &out, nullptr) == MEDIAGEN_INVALID);
  CHECK(mediagen_store_batch_begin(h.store.get(), bad, nullptr, 0, &out, nullptr) == MEDIAGEN_INVALID);
  CHECK(mediagen_queue_claim_begin(h.queue.get(), bad, 1, nullptr, 0, &out, nullptr) == MEDIAGEN_INVALID);
  CHECK(mediagen_cache_remove(h.cache.get(), bad) == MEDIAGEN_INVALID);
  CHECK(mediagen_open(MEDIAGEN_ABI, S(""), nullptr, nullptr) == MEDIAGEN_INVALID);
  CHECK(mediagen_inbox_new(nullptr, nullptr) == MEDIAGEN_INVALID);
  mediagen_engine* engine = nullptr;
  CHECK(mediagen_open(MEDIAGEN_ABI, bad, &engine, nullptr) == MEDIAGEN_INVALID);
}

TEST_CASE("freeing and reading NULL is nothing") {
  mediagen_error_free(nullptr);
  mediagen_buffer_free(nullptr);
  mediagen_inbox_free(nullptr);
  mediagen_call_free(nullptr);
  mediagen_call_cancel(nullptr);
  mediagen_engine_free(nullptr);
  mediagen_store_free(nullptr);
  mediagen_queue_free(nullptr);
  mediagen_cache_free(nullptr);
  CHECK(mediagen_inbox_fd(nullptr) == -1);
  CHECK(mediagen_call_token(nullptr) == 0);
  CHECK(mediagen_error_code(nullptr) == MEDIAGEN_OK);
  CHECK(mediagen_error_json(nullptr).size == 0);
}

TEST_CASE("in a forked child every function answers FORKED, and the parent goes on") {
  Handles h;
  const Arguments a{h.engine.get(), h.store.get(),   h.queue.get(), h.cache.get(),
                    h.call.get(),   h.request.get(), h.inbox.get()};
  const std::vector<Row> rows = Rows();
  int failed = ExitCodeOfChild([&] {
    for (size_t i = 0; i < rows.size(); ++i) {
      mediagen_call* out = nullptr;
      mediagen_error* error = nullptr;
      if (rows[i].run(a, &out, &error) != MEDIAGEN_FORKED || out != nullptr) return static_cast<int>(i) + 1;
      if (error != nullptr && mediagen_error_code(error) != MEDIAGEN_FORKED) return static_cast<int>(i) + 1;
      mediagen_error_free(error);
    }
    return mediagen_inbox_fd(a.inbox) == -1 && mediagen_call_token(a.call) == 0 ? 0 : 100;
  });
  INFO((failed > 0 && failed <= static_cast<int>(rows.size()) ? rows[failed - 1].name : "a crash"));
  CHECK(failed == 0);
  FakeEngine::Last()->ReplyToAll();
  CHECK(mediagen_call_wait(h.call.get(), 0, nullptr) == MEDIAGEN_OK);
}

TEST_CASE("an inbox of the parent is refused by a child's own engine") {
  OwnedInbox inbox = NewInbox();
  CHECK(ExitCodeOfChild([&] {
          mediagen_engine* engine = nullptr;
          mediagen_call* call = nullptr;
          if (mediagen_open(MEDIAGEN_ABI, S(""), &engine, nullptr) != MEDIAGEN_OK) return 1;
          if (mediagen_submit_begin(engine, S("now"), inbox.get(), 0, &call, nullptr) != MEDIAGEN_FORKED)
            return 2;
          if (mediagen_submit_begin(engine, S("now"), nullptr, 0, &call, nullptr) != MEDIAGEN_OK) return 3;
          mediagen_call_free(call);
          mediagen_engine_free(engine);
          return 0;
        }) == 0);
}

TEST_CASE("in a forked child every handle can be freed: it leaks and joins nothing") {
  Handles h;
  CHECK(ExitCodeOfChild([&] {
          mediagen_call_cancel(h.call.get());
          mediagen_call_free(h.call.release());
          mediagen_call_free(h.request.release());
          mediagen_engine_free(h.engine.release());
          mediagen_store_free(h.store.release());
          mediagen_queue_free(h.queue.release());
          mediagen_cache_free(h.cache.release());
          mediagen_inbox_free(h.inbox.release());
          return 0;
        }) == 0);
}
