#include <doctest/doctest.h>
#include <unistd.h>

#include <thread>

#include "capi/fake_engine.h"
#include "capi/host.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

int32_t Submit(const OwnedEngine& engine, std::string_view what, mediagen_inbox* inbox, uint64_t tag,
               OwnedCall* out, mediagen_error** err = nullptr) {
  mediagen_call* call = nullptr;
  int32_t state = mediagen_submit_begin(engine.get(), S(what), inbox, tag, &call, err);
  out->reset(call);
  return state;
}

}  // namespace

TEST_CASE("an operation that memory answers is OK at once, and no DONE follows") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall call;
  CHECK(Submit(engine, "now", inbox.get(), 1, &call) == MEDIAGEN_OK);
  REQUIRE(call != nullptr);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  mediagen_buffer* result = nullptr;
  CHECK(mediagen_call_result(call.get(), &result, nullptr) == MEDIAGEN_OK);
  CHECK(Take(result) == R"({"id":"now"})");
  CHECK(mediagen_call_result(call.get(), &result, nullptr) == MEDIAGEN_OK);  // any number of times
  CHECK(Take(result) == R"({"id":"now"})");
}

TEST_CASE("an operation without a result has a NULL buffer") {
  OwnedEngine engine = OpenEngine();
  OwnedCall call;
  CHECK(Submit(engine, "nothing", nullptr, 0, &call) == MEDIAGEN_OK);
  mediagen_buffer* result = reinterpret_cast<mediagen_buffer*>(1);
  CHECK(mediagen_call_result(call.get(), &result, nullptr) == MEDIAGEN_OK);
  CHECK(result == nullptr);
}

TEST_CASE("a pending operation ends in exactly one DONE with its tag") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall first, second;
  CHECK(Submit(engine, "later", inbox.get(), 7, &first) == MEDIAGEN_PENDING);
  CHECK(Submit(engine, "later", inbox.get(), 8, &second) == MEDIAGEN_PENDING);
  mediagen_buffer* result = nullptr;
  CHECK(mediagen_call_result(first.get(), &result, nullptr) == MEDIAGEN_PENDING);
  CHECK(FakeEngine::Last()->ReplyToAll() == 2);
  Notice notice = Next(inbox);
  CHECK(notice.kind == MEDIAGEN_KIND_DONE);
  CHECK(notice.tag == 7);
  CHECK(Next(inbox).tag == 8);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CHECK(mediagen_call_result(first.get(), &result, nullptr) == MEDIAGEN_OK);
  CHECK(Take(result) == R"({"id":"later"})");
}

TEST_CASE("what fails at once was never begun: the code, the error document, no call") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall call;
  Failure failure;
  CHECK(Submit(engine, "fail", inbox.get(), 1, &call, failure.slot()) == MEDIAGEN_RATE_LIMITED);
  CHECK(call == nullptr);
  CHECK(failure.code() == MEDIAGEN_RATE_LIMITED);
  CHECK(failure.doc() == Json{{"code", "rate_limited"},
                              {"message", "5 a minute are allowed."},
                              {"hint", "Wait."},
                              {"retryAfterMs", 12000},
                              {"object", nullptr}});
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CHECK(Submit(engine, "fail", inbox.get(), 1, &call) == MEDIAGEN_RATE_LIMITED);  // err may be NULL
}

TEST_CASE("nothing that is thrown leaves the library") {
  OwnedEngine engine = OpenEngine();
  OwnedCall call;
  Failure failure;
  CHECK(Submit(engine, "throw", nullptr, 0, &call, failure.slot()) == MEDIAGEN_INTERNAL);
  CHECK(failure.message().find("thrown by the engine") != std::string::npos);
  CHECK(Submit(engine, "memory", nullptr, 0, &call, failure.slot()) == MEDIAGEN_OVERLOADED);
  CHECK(failure.doc()["code"] == "overloaded");
  CHECK(Submit(engine, "strange", nullptr, 0, &call, failure.slot()) == MEDIAGEN_INTERNAL);
  CHECK(failure.doc()["code"] == "internal");
  CHECK(Submit(engine, "foreign", nullptr, 0, &call, failure.slot()) == MEDIAGEN_INTERNAL);
  CHECK(failure.message() == "not ours");
  CHECK(call == nullptr);
  mediagen_engine* none = reinterpret_cast<mediagen_engine*>(1);
  CHECK(mediagen_open(MEDIAGEN_ABI, S("throw"), &none, failure.slot()) == MEDIAGEN_INTERNAL);
  CHECK(none == nullptr);
}

TEST_CASE("an ABI that the library does not speak is refused, by number") {
  Failure failure;
  mediagen_engine* engine = nullptr;
  mediagen_store* store = nullptr;
  mediagen_queue* queue = nullptr;
  mediagen_cache* cache = nullptr;
  CHECK(mediagen_open(MEDIAGEN_ABI + 41, S(""), &engine, failure.slot()) == MEDIAGEN_UNSUPPORTED);
  CHECK(failure.message().find("41") != std::string::npos);
  CHECK(mediagen_store_open(MEDIAGEN_ABI + 1, S(""), &store, nullptr) == MEDIAGEN_UNSUPPORTED);
  CHECK(mediagen_queue_open(MEDIAGEN_ABI + 1, S(""), &queue, nullptr) == MEDIAGEN_UNSUPPORTED);
  CHECK(mediagen_cache_open(MEDIAGEN_ABI + 1, S(""), &cache, nullptr) == MEDIAGEN_UNSUPPORTED);
  CHECK(engine == nullptr);
  CHECK(mediagen_abi() == MEDIAGEN_ABI);
}

TEST_CASE("an error of opening is the reader's, and nothing is left behind") {
  Failure failure;
  mediagen_engine* engine = nullptr;
  mediagen_store* store = nullptr;
  mediagen_queue* queue = nullptr;
  mediagen_cache* cache = nullptr;
  CHECK(mediagen_open(MEDIAGEN_ABI, S("fail"), &engine, failure.slot()) == MEDIAGEN_INVALID);
  CHECK(failure.message().find("unknown fields") != std::string::npos);
  CHECK(mediagen_store_open(MEDIAGEN_ABI, S("fail"), &store, nullptr) == MEDIAGEN_INVALID);
  CHECK(mediagen_queue_open(MEDIAGEN_ABI, S("fail"), &queue, nullptr) == MEDIAGEN_INVALID);
  CHECK(mediagen_cache_open(MEDIAGEN_ABI, S("fail"), &cache, nullptr) == MEDIAGEN_INVALID);
}

TEST_CASE("codes have names; one that is not known is internal") {
  CHECK(std::string(mediagen_code_name(MEDIAGEN_OK)) == "ok");
  CHECK(std::string(mediagen_code_name(MEDIAGEN_RATE_LIMITED)) == "rate_limited");
  CHECK(std::string(mediagen_code_name(MEDIAGEN_INTERNAL)) == "internal");
  CHECK(std::string(mediagen_code_name(MEDIAGEN_PENDING)) == "pending");
  for (int32_t unknown : {5, 1000, -24, INT32_MIN, INT32_MAX})
    CHECK(std::string(mediagen_code_name(unknown)) == "internal");
}

TEST_CASE("the descriptor gets one byte an arming, and EMPTY arms it again") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall calls[3];
  CHECK_FALSE(Readable(inbox));
  for (int i = 0; i < 3; ++i) Submit(engine, "later", inbox.get(), i, &calls[i]);
  CHECK_FALSE(Readable(inbox));
  FakeEngine::Last()->ReplyToAll();
  char bytes[16];
  CHECK(read(mediagen_inbox_fd(inbox.get()), bytes, sizeof bytes) == 1);  // the host may take it itself
  for (int i = 0; i < 3; ++i) CHECK(Next(inbox).kind == MEDIAGEN_KIND_DONE);
  Submit(engine, "later", inbox.get(), 9, &calls[0]);
  FakeEngine::Last()->ReplyToAll();
  CHECK_FALSE(Readable(inbox));  // EMPTY was not said yet: not armed
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_DONE);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  Submit(engine, "later", inbox.get(), 10, &calls[1]);
  FakeEngine::Last()->ReplyToAll();
  CHECK(Readable(inbox));
  CHECK(Next(inbox).tag == 10);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CHECK_FALSE(Readable(inbox));  // the library took the byte
}

TEST_CASE("freeing a call takes its notices back, and nothing with its tag arrives any more") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall gone, kept;
  Submit(engine, "later", inbox.get(), 1, &gone);
  Submit(engine, "later", inbox.get(), 2, &kept);
  FakeEngine::Last()->ReplyToAll();
  gone.reset();
  CHECK(Next(inbox).tag == 2);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  Submit(engine, "later", inbox.get(), 3, &gone);
  gone.reset();
  FakeEngine::Last()->ReplyToAll();
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
}

TEST_CASE("waiting ends with the call, with its error, or with TIMEOUT") {
  OwnedEngine engine = OpenEngine();
  OwnedCall call;
  Submit(engine, "later", nullptr, 0, &call);
  CHECK(mediagen_call_wait(call.get(), 0, nullptr) == MEDIAGEN_TIMEOUT);
  CHECK(mediagen_call_wait(call.get(), 1, nullptr) == MEDIAGEN_TIMEOUT);
  std::thread replier([fake = FakeEngine::Last()] { fake->ReplyToAll(); });
  CHECK(mediagen_call_wait(call.get(), -1, nullptr) == MEDIAGEN_OK);
  replier.join();
  CHECK(mediagen_call_wait(call.get(), INT64_MAX, nullptr) == MEDIAGEN_OK);
}

TEST_CASE("canceling ends a call with CANCELED, once, and its late reply is dropped") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall call;
  Failure failure;
  Submit(engine, "later", inbox.get(), 4, &call);
  mediagen_call_cancel(call.get());
  mediagen_call_cancel(call.get());
  Notice notice = Next(inbox);
  CHECK(notice.kind == MEDIAGEN_KIND_DONE);
  CHECK(notice.tag == 4);
  FakeEngine::Last()->ReplyToAll();
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CHECK(mediagen_call_wait(call.get(), -1, failure.slot()) == MEDIAGEN_CANCELED);
  mediagen_buffer* result = nullptr;
  CHECK(mediagen_call_result(call.get(), &result, failure.slot()) == MEDIAGEN_CANCELED);
  CHECK(failure.doc()["code"] == "canceled");
}

TEST_CASE("giving up an await tells the engine") {
  OwnedEngine engine = OpenEngine();
  mediagen_call* call = nullptr;
  CHECK(mediagen_await_begin(engine.get(), S(""), S("later"), nullptr, 0, &call, nullptr) ==
        MEDIAGEN_PENDING);
  mediagen_call_free(call);
  CHECK(FakeEngine::Last()->awaits_given_up() == 1);
  CHECK(mediagen_await_begin(engine.get(), S(""), S("now"), nullptr, 0, &call, nullptr) == MEDIAGEN_OK);
  mediagen_call_free(call);
  CHECK(FakeEngine::Last()->awaits_given_up() == 1);
}

TEST_CASE("every verb of the engine goes to its own function") {
  OwnedEngine engine = OpenEngine();
  auto now = S("now");
  auto none = S("");
  CHECK(Result([&](auto out, auto err) {
          return mediagen_cancel_begin(engine.get(), none, now, nullptr, 0, out, err);
        })["id"] == "now");
  CHECK(Result([&](auto out, auto err) {
          return mediagen_get_begin(engine.get(), none, S("outputs"), now, nullptr, 0, out, err);
        })["id"] == "now");
  CHECK(Result([&](auto out, auto err) {
          return mediagen_list_begin(engine.get(), none, S("generations"), now, nullptr, 0, out, err);
        })["id"] == "now");
  CHECK(Result([&](auto out, auto err) {
          return mediagen_publish_begin(engine.get(), now, none, S("{}"), nullptr, 0, out, err);
        })["id"] == "now");
}

TEST_CASE("closing ends every call with CLOSED, and the engine answers CLOSED from then on") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall pending, closing, refused;
  Submit(engine, "later", inbox.get(), 1, &pending);
  mediagen_call* call = nullptr;
  CHECK(mediagen_close_begin(engine.get(), 0, inbox.get(), 2, &call, nullptr) == MEDIAGEN_OK);
  closing.reset(call);
  CHECK(Next(inbox).tag == 1);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CHECK(mediagen_call_wait(pending.get(), 0, nullptr) == MEDIAGEN_CLOSED);
  CHECK(Submit(engine, "now", nullptr, 0, &refused) == MEDIAGEN_CLOSED);
  mediagen_store* store = nullptr;
  mediagen_queue* queue = nullptr;
  CHECK(mediagen_engine_store(engine.get(), &store, nullptr) == MEDIAGEN_CLOSED);
  CHECK(mediagen_engine_queue(engine.get(), &queue, nullptr) == MEDIAGEN_CLOSED);
}

TEST_CASE("freeing an engine closes it; its calls and inbox live on") {
  OwnedInbox inbox = NewInbox();
  OwnedEngine engine = OpenEngine();
  OwnedCall call;
  Submit(engine, "later", inbox.get(), 5, &call);
  engine.reset();
  CHECK(FakeEngine::Last() == nullptr);
  CHECK(Next(inbox).tag == 5);
  CHECK(mediagen_call_wait(call.get(), 0, nullptr) == MEDIAGEN_CLOSED);
}

TEST_CASE("an inbox may be freed before its calls") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall call;
  Submit(engine, "later", inbox.get(), 5, &call);
  inbox.reset();
  FakeEngine::Last()->ReplyToAll();
  CHECK(mediagen_call_wait(call.get(), 0, nullptr) == MEDIAGEN_OK);
}

TEST_CASE("without threads, waiting and running drive the engine") {
  OwnedEngine engine = OpenEngine("manual");
  OwnedCall call;
  Submit(engine, "later", nullptr, 0, &call);
  CHECK(mediagen_call_wait(call.get(), 10'000, nullptr) == MEDIAGEN_OK);
  Submit(engine, "later", nullptr, 0, &call);
  int64_t due = 99;
  CHECK(mediagen_run(engine.get(), 10, &due, nullptr) == MEDIAGEN_OK);
  CHECK(due == 0);
  CHECK(mediagen_call_wait(call.get(), 0, nullptr) == MEDIAGEN_OK);
  CHECK(mediagen_run(engine.get(), 10, nullptr, nullptr) == MEDIAGEN_OK);
  OwnedEngine threaded = OpenEngine();
  Failure failure;
  CHECK(mediagen_run(threaded.get(), 10, &due, failure.slot()) == MEDIAGEN_UNSUPPORTED);
  CHECK(due == -1);
}

TEST_CASE("a manual call whose engine is gone is closed, not waited for") {
  OwnedEngine engine = OpenEngine("manual");
  mediagen_call* call = nullptr;
  mediagen_subscribe(engine.get(), S(""), S(""), nullptr, 0, &call, nullptr);
  CHECK(call == nullptr);  // events need an inbox
  OwnedCall waiting;
  Submit(engine, "later", nullptr, 0, &waiting);
  engine.reset();
  CHECK(mediagen_call_wait(waiting.get(), -1, nullptr) == MEDIAGEN_CLOSED);
}

TEST_CASE("buffers are counted, and NULL is empty") {
  mediagen_buffer* buffer = nullptr;
  CHECK(mediagen_buffer_copy(S(std::string_view("a\0b", 3)), &buffer) == MEDIAGEN_OK);
  mediagen_buffer* again = mediagen_buffer_ref(buffer);
  mediagen_buffer_free(buffer);
  CHECK(Text(mediagen_buffer_view(again)) == std::string("a\0b", 3));
  mediagen_buffer_free(again);
  CHECK(mediagen_buffer_copy({nullptr, 0}, &buffer) == MEDIAGEN_OK);
  CHECK(mediagen_buffer_view(buffer).size == 0);
  mediagen_buffer_free(buffer);
  CHECK(mediagen_buffer_copy({nullptr, 1}, &buffer) == MEDIAGEN_INVALID);
  CHECK(mediagen_buffer_view(nullptr).size == 0);
  CHECK(mediagen_buffer_ref(nullptr) == nullptr);
}
