#include <doctest/doctest.h>

#include "capi/fake_engine.h"
#include "capi/host.h"
#include "fmt/format.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

OwnedCall Subscribe(const OwnedEngine& engine, const OwnedInbox& inbox, uint64_t tag) {
  mediagen_call* call = nullptr;
  REQUIRE(mediagen_subscribe(engine.get(), S(""), S(""), inbox.get(), tag, &call, nullptr) ==
          MEDIAGEN_PENDING);
  return OwnedCall(call);
}

std::string NumberedEvent(int number) {
  return fmt::format(
      R"({{"id":"e1:{}","topic":"generations","type":"generation.progress","object":"o","user":"u","data":{{}},"at":"t"}})",
      number);
}

}  // namespace

TEST_CASE("events arrive in order with the subscription's tag, until it is freed") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall first = Subscribe(engine, inbox, 1), second = Subscribe(engine, inbox, 2);
  FakeEngine::Last()->Deliver(NumberedEvent(1));
  Notice a = Next(inbox), b = Next(inbox);
  CHECK(a.kind == MEDIAGEN_KIND_EVENT);
  CHECK(a.tag == 1);
  CHECK(a.event == NumberedEvent(1));
  CHECK(b.tag == 2);
  FakeEngine::Last()->Deliver(NumberedEvent(2));
  first.reset();
  CHECK(FakeEngine::Last()->awaits_given_up() == 1);
  CHECK(Next(inbox).tag == 2);
  FakeEngine::Last()->Deliver(NumberedEvent(3));
  CHECK(Next(inbox).event == NumberedEvent(3));
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
}

TEST_CASE("a canceled subscription ends in DONE with CANCELED; a closed engine's with CLOSED") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall canceled = Subscribe(engine, inbox, 1);
  mediagen_call_cancel(canceled.get());
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_DONE);
  CHECK(mediagen_call_wait(canceled.get(), 0, nullptr) == MEDIAGEN_CANCELED);
  OwnedCall open = Subscribe(engine, inbox, 2);
  engine.reset();
  Notice done = Next(inbox);
  CHECK(done.kind == MEDIAGEN_KIND_DONE);
  CHECK(done.tag == 2);
  CHECK(mediagen_call_wait(open.get(), 0, nullptr) == MEDIAGEN_CLOSED);
}

TEST_CASE("a refused subscription was never begun") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  mediagen_call* call = nullptr;
  Failure failure;
  CHECK(mediagen_subscribe(engine.get(), S(""), S("fail"), inbox.get(), 1, &call, failure.slot()) ==
        MEDIAGEN_INVALID);
  CHECK(call == nullptr);
  CHECK(failure.message() == "The filter is wrong.");
}

TEST_CASE("a host that does not read gets a reset in place of what it missed, and the inbox stays bounded") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall slow = Subscribe(engine, inbox, 1);
  constexpr int kBacklog = 1000;
  for (int i = 1; i <= kBacklog + 1; ++i) FakeEngine::Last()->Deliver(NumberedEvent(i));
  FakeEngine::Last()->Deliver(NumberedEvent(kBacklog + 2));
  Json reset = Json::parse(Next(inbox).event);
  CHECK(reset["type"] == "reset");
  CHECK(reset["id"] == fmt::format("e1:{}", kBacklog + 1));  // go on from here
  CHECK(reset["data"]["reason"] == "slow");
  CHECK(Next(inbox).event == NumberedEvent(kBacklog + 2));
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  FakeEngine::Last()->Deliver(NumberedEvent(5000));
  CHECK(Next(inbox).event == NumberedEvent(5000));
}
