// What ThreadSanitizer is to look at: calls begun, ended, canceled and freed from everywhere at once.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "capi/fake_engine.h"
#include "capi/host.h"

using namespace mediagen;
using namespace mediagen::testing;

TEST_CASE("eight threads begin, cancel and free over one engine and one inbox") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  std::atomic<bool> stop{false};
  std::thread replier([&, fake = FakeEngine::Last()] {
    while (!stop) {
      fake->ReplyToAll();
      fake->AnswerAll();
      fake->Deliver(R"({"id":"e1:1"})");
    }
  });
  std::thread reader([&] {
    while (!stop) {
      uint64_t tag;
      int32_t kind;
      mediagen_buffer* event = nullptr;
      mediagen_inbox_next(inbox.get(), &tag, &kind, &event);
      mediagen_buffer_free(event);
    }
  });
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        mediagen_call* call = nullptr;
        int32_t state = 0;
        switch ((t + i) % 4) {
          case 0:
            state = mediagen_submit_begin(engine.get(), S("later"), inbox.get(), i, &call, nullptr);
            break;
          case 1:
            state = mediagen_subscribe(engine.get(), S(""), S(""), inbox.get(), i, &call, nullptr);
            break;
          case 2:
            state = mediagen_handle_begin(engine.get(), S("GET"), S("/later"), S(""), S(""), S(""),
                                          inbox.get(), i, &call, nullptr);
            break;
          default:
            state = mediagen_await_begin(engine.get(), S(""), S("later"), nullptr, i, &call, nullptr);
            break;
        }
        // OK: the replier was quicker than the begin.
        if (state != MEDIAGEN_PENDING && state != MEDIAGEN_OK) ++wrong;
        if (i % 3 == 0) mediagen_call_cancel(call);
        if (i % 3 == 1 && (t + i) % 4 != 1 && mediagen_call_wait(call, 30'000, nullptr) != MEDIAGEN_OK)
          ++wrong;
        mediagen_call_free(call);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  replier.join();
  reader.join();
  CHECK(wrong == 0);
  while (Next(inbox).kind != MEDIAGEN_KIND_EMPTY) {
  }
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);  // every call is freed: nothing can come any more
}

TEST_CASE("an engine is closed under calls that eight threads wait for") {
  OwnedEngine engine = OpenEngine();
  std::atomic<int> begun{0}, closed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      mediagen_call* call = nullptr;
      mediagen_submit_begin(engine.get(), S("later"), nullptr, 0, &call, nullptr);
      ++begun;
      if (mediagen_call_wait(call, 30'000, nullptr) == MEDIAGEN_CLOSED) ++closed;
      mediagen_call_free(call);
    });
  }
  while (begun < 8) std::this_thread::yield();
  mediagen_call* closing = nullptr;
  CHECK(mediagen_close_begin(engine.get(), 0, nullptr, 0, &closing, nullptr) >= 0);
  for (std::thread& thread : threads) thread.join();
  mediagen_call_free(closing);
  CHECK(closed == 8);
}
