#include "base/call.h"

#include <doctest/doctest.h>
#include <poll.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mediagen {
namespace {

std::shared_ptr<Inbox> NewInbox() { return Inbox::New().value(); }

bool Readable(const Inbox& inbox) {
  pollfd entry{inbox.fd(), POLLIN, 0};
  return poll(&entry, 1, 0) == 1;
}

BufferRef Reset(const BufferRef& newest) {
  return BufferRef::Copy("reset after " + std::string(newest.view()));
}

}  // namespace

TEST_CASE("the first end of a call wins, and later ones say that they lost") {
  Call call(nullptr, 0);
  CHECK(call.Complete(OkStatus(), BufferRef::Copy("first")));
  CHECK_FALSE(call.Complete(Error(Code::kTimeout, "late")));
  CHECK_FALSE(call.CompleteWithLoad(3));
  CHECK(call.result()->buffer.view() == "first");
  CHECK(call.result()->load_token == 0);
}

TEST_CASE("a call that ended before Begun posts nothing; after it, one DONE") {
  auto inbox = NewInbox();
  Call early(inbox, 1), late(inbox, 2);
  early.Complete(OkStatus());
  CHECK(early.Begun());
  CHECK(inbox->Next().kind == NoticeKind::kEmpty);
  CHECK_FALSE(late.Begun());
  late.Complete(OkStatus());
  CHECK(inbox->Next().kind == NoticeKind::kDone);
  CHECK(inbox->Next().kind == NoticeKind::kEmpty);
  early.Release();
  late.Release();
}

TEST_CASE("what was registered for canceling runs once, and not for a call that has ended") {
  int canceled = 0;
  Call call(nullptr, 0);
  CHECK(call.OnCancel([&] { ++canceled; }));
  call.Cancel();
  call.Cancel();
  call.Release();
  CHECK(canceled == 1);
  CHECK(CodeOf(call.result()->status) == Code::kCanceled);
  CHECK_FALSE(call.OnCancel([&] { ++canceled; }));
  Call ended(nullptr, 0);
  ended.OnCancel([&] { ++canceled; });
  ended.Complete(OkStatus());
  ended.Cancel();
  CHECK(canceled == 1);
}

TEST_CASE("a call that ends drops what it would have canceled, so that neither keeps the other alive") {
  auto held = std::make_shared<int>(1);
  for (bool load : {false, true}) {
    Call call(nullptr, 0);
    call.OnCancel([held] {});
    CHECK(held.use_count() == 2);
    load ? call.CompleteWithLoad(1) : call.Complete(OkStatus());
    CHECK(held.use_count() == 1);
  }
}

TEST_CASE("a result that was never read is given back when the call is freed") {
  int given_back = 0;
  Call unread(nullptr, 0), read(nullptr, 0), canceled(nullptr, 0);
  unread.Complete(OkStatus(), nullptr, [&] { ++given_back; });
  CHECK(unread.result().has_value());  // looking is not reading
  unread.Release();
  unread.Release();
  CHECK(given_back == 1);
  read.Complete(OkStatus(), nullptr, [&] { ++given_back; });
  CHECK(read.TakeResult().has_value());
  read.Release();
  canceled.Cancel();
  CHECK_FALSE(canceled.Complete(OkStatus(), nullptr, [&] { ++given_back; }));  // the caller's to give back
  canceled.Release();
  CHECK(given_back == 1);
}

TEST_CASE("a released call posts nothing, and its notices are gone") {
  auto inbox = NewInbox();
  Call gone(inbox, 1), kept(inbox, 2);
  gone.Begun();
  kept.Begun();
  gone.Notify(NoticeKind::kHead);
  gone.NotifyEvent(BufferRef::Copy("e"), 10, Reset);
  kept.Notify(NoticeKind::kReadable);
  gone.Release();
  gone.Notify(NoticeKind::kHead);
  gone.NotifyEvent(BufferRef::Copy("e"), 10, Reset);
  CHECK(gone.released());
  Inbox::Notice notice = inbox->Next();
  CHECK(notice.tag == 2);
  CHECK(notice.kind == NoticeKind::kReadable);
  CHECK(inbox->Next().kind == NoticeKind::kEmpty);
  kept.Release();
}

TEST_CASE("the inbox wakes once an arming") {
  auto inbox = NewInbox();
  CHECK_FALSE(Readable(*inbox));
  inbox->Post(nullptr, 1, NoticeKind::kDone);
  CHECK(Readable(*inbox));
  CHECK(inbox->Next().tag == 1);
  CHECK(Readable(*inbox));  // still: EMPTY takes the byte
  CHECK(inbox->Next().kind == NoticeKind::kEmpty);
  CHECK_FALSE(Readable(*inbox));
  inbox->Post(nullptr, 2, NoticeKind::kDone);
  CHECK(Readable(*inbox));
}

TEST_CASE("past the backlog a source's events become one reset; other notices and sources stay") {
  auto inbox = NewInbox();
  Call slow(inbox, 1), other(inbox, 2);
  slow.Notify(NoticeKind::kHead);
  other.NotifyEvent(BufferRef::Copy("o1"), 3, Reset);
  for (int i = 1; i <= 5; ++i) slow.NotifyEvent(BufferRef::Copy(std::to_string(i)), 3, Reset);
  CHECK(inbox->Next().kind == NoticeKind::kHead);
  CHECK(inbox->Next().event.view() == "o1");
  CHECK(inbox->Next().event.view() == "reset after 4");
  CHECK(inbox->Next().event.view() == "5");
  CHECK(inbox->Next().kind == NoticeKind::kEmpty);
  slow.Release();
  other.Release();
}

TEST_CASE("an event after the end is not posted") {
  auto inbox = NewInbox();
  Call call(inbox, 1);
  call.Begun();
  call.Complete(Error(Code::kClosed, "closed"));
  call.NotifyEvent(BufferRef::Copy("late"), 3, Reset);
  CHECK(inbox->Next().kind == NoticeKind::kDone);
  CHECK(inbox->Next().kind == NoticeKind::kEmpty);
  call.Release();
}

TEST_CASE("what is attached runs when the inbox holds nothing, once a key, until it says that it is done") {
  auto inbox = NewInbox();
  int ran = 0, key = 0;
  inbox->Attach(&key, [&] { return ran += 100, true; });
  inbox->Attach(&key, [&] {
    ++ran;
    if (ran == 1) inbox->Post(nullptr, 7, NoticeKind::kDone);
    return ran < 2;
  });
  CHECK(inbox->Next().tag == 7);  // posted by what was attached
  CHECK(ran == 1);
  CHECK(inbox->Next().kind == NoticeKind::kEmpty);
  CHECK(inbox->Next().kind == NoticeKind::kEmpty);
  CHECK(ran == 2);
}

TEST_CASE("waiting: the end, the time, an engine that is gone") {
  Call ended(nullptr, 0), open(nullptr, 0);
  ended.Complete(OkStatus());
  CHECK(ended.Wait(0) == Call::WaitResult::kDone);
  CHECK(ended.Wait(-1) == Call::WaitResult::kDone);
  CHECK(open.Wait(0) == Call::WaitResult::kTimeout);
  CHECK(open.Wait(2) == Call::WaitResult::kTimeout);

  int drives = 0;
  Call abandoned(nullptr, 0, [&](int64_t) { return ++drives < 3; });
  CHECK(abandoned.Wait(-1) == Call::WaitResult::kAbandoned);
  CHECK(drives == 3);

  auto driven = std::make_shared<Call>(nullptr, 0, nullptr);
  Call* raw = nullptr;
  Call by_drive(nullptr, 0, [&](int64_t ms) {
    CHECK(ms <= 50);
    return raw->Complete(OkStatus());
  });
  raw = &by_drive;
  CHECK(by_drive.Wait(0) == Call::WaitResult::kDone);  // a timeout of 0 does what is due
}

TEST_CASE("a poll runs between the slices of a wait") {
  Call call(nullptr, 0);
  int polls = 0;
  call.OnWait([&]() -> int64_t {
    if (++polls == 3) call.Complete(OkStatus());
    return 0;
  });
  CHECK(call.Wait(-1) == Call::WaitResult::kDone);
  CHECK(polls == 3);
}

TEST_CASE("a wait is ended from another thread, also one that would be for ever") {
  for (int64_t timeout : {int64_t{-1}, int64_t{60'000}, INT64_MAX}) {
    Call call(nullptr, 0);
    std::thread ender([&] { call.Complete(OkStatus()); });
    CHECK(call.Wait(timeout) == Call::WaitResult::kDone);
    ender.join();
  }
}

TEST_CASE("ends, cancels and frees race, and every call ends once") {
  auto inbox = NewInbox();
  std::atomic<int> given_back{0}, lost{0}, canceled{0};
  for (int round = 0; round < 200; ++round) {
    auto call = std::make_shared<Call>(inbox, round);
    call->OnCancel([&] { ++canceled; });
    call->Begun();
    std::thread ender([&, call] {
      if (!call->Complete(OkStatus(), nullptr, [&] { ++given_back; })) ++lost;
    });
    std::thread freer([&, call] { call->Release(); });
    ender.join();
    freer.join();
    CHECK(call->done());
  }
  CHECK(given_back + lost == 200);  // every result is given back, by the call or by its maker
  CHECK(inbox->Next().kind == NoticeKind::kEmpty);
}

TEST_CASE("who waits without a limit does the call's work, once; who waits briefly does not") {
  int done = 0;
  auto call = std::make_shared<Call>(nullptr, 0);
  call->OnWaitHelp([&] {
    ++done;
    call->Complete(OkStatus(), BufferRef::Copy("helped"));
  });
  call->Begun();
  CHECK(call->Wait(0) == Call::WaitResult::kTimeout);
  CHECK(done == 0);
  CHECK(call->Wait(-1) == Call::WaitResult::kDone);
  CHECK(call->Wait(-1) == Call::WaitResult::kDone);
  CHECK(done == 1);
  CHECK(call->result()->buffer.view() == "helped");
}

TEST_CASE("help for a call that has ended is dropped, with what it holds") {
  auto held = std::make_shared<int>(0);
  auto call = std::make_shared<Call>(nullptr, 0);
  call->OnWaitHelp([held] { ++*held; });
  CHECK(held.use_count() == 2);
  call->Complete(OkStatus());
  CHECK(held.use_count() == 1);
  call->OnWaitHelp([held] { ++*held; });
  CHECK(held.use_count() == 1);
  CHECK(call->Wait(-1) == Call::WaitResult::kDone);
  CHECK(*held == 0);
}

}  // namespace mediagen
