// The contract of Store: groups, snapshots, wakes, ends. See store_support.h for how a backend includes it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "contract/store_support.h"

namespace mediagen {

namespace store_contract {

// Counts what a store tells its listeners, and lets a test wait for it. The store may outlive it, and tell of
// a commit late.
class Listener {
 public:
  explicit Listener(Store& store) {
    store.OnWake([heard = heard_](const Store::Wake& wake) {
      std::lock_guard lock(heard->mutex);
      heard->wakes.push_back(wake);
      heard->changed_cv.notify_all();
    });
  }
  // Whether a wake like this came within a minute, i.e. ever.
  bool Heard(bool events, bool queues, bool foreign) {
    std::unique_lock lock(heard_->mutex);
    return heard_->changed_cv.wait_for(lock, std::chrono::minutes(1), [&] {
      for (const Store::Wake& wake : heard_->wakes) {
        if (wake.foreign == foreign && (!events || wake.events) && (!queues || wake.queues)) return true;
      }
      return false;
    });
  }
  std::vector<Store::Wake> wakes() {
    std::lock_guard lock(heard_->mutex);
    return heard_->wakes;
  }
  void Forget() {
    std::lock_guard lock(heard_->mutex);
    heard_->wakes.clear();
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed_cv;
    std::vector<Store::Wake> wakes;
  };
  std::shared_ptr<State> heard_ = std::make_shared<State>();
};

inline Status Append(Transaction& t, std::string type) {
  return t.events().Append({.topic = "generations", .type = std::move(type)}).status();
}

inline int64_t AsOf(Store& store) {
  int64_t as_of = -1;
  Look(store, [&](const Snapshot& s) { as_of = Must(s.AsOf()); });
  return as_of;
}

}  // namespace store_contract

TEST_CASE("an operation that fails undoes itself alone and is told why") {
  using namespace store_contract;
  ContractBackend backend;
  std::vector<Status> results(20);
  std::mutex mutex;
  std::condition_variable done_cv;
  size_t done = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    backend.store().CommitAsync(
        [i](Transaction& t) -> Status {
          RETURN_IF_ERROR(Append(t, "e" + std::to_string(i)));
          return i % 3 == 0 ? Error(Code::kForbidden, "not this one.") : OkStatus();
        },
        [&, i](Status status) {
          std::lock_guard lock(mutex);
          results[i] = std::move(status);
          ++done;
          done_cv.notify_all();
        });
  }
  std::unique_lock lock(mutex);
  done_cv.wait(lock, [&] { return done == results.size(); });
  for (size_t i = 0; i < results.size(); ++i)
    CHECK(CodeOf(results[i]) == (i % 3 == 0 ? Code::kForbidden : Code::kOk));
  Look(backend.store(), [&](const Snapshot& s) {
    std::vector<Event> events = Must(s.events().After(0, 100));
    REQUIRE(events.size() == 13);
    CHECK(events[0].type == "e1");
    CHECK(events[1].type == "e2");
    CHECK(events[2].type == "e4");
  });
}

TEST_CASE("an operation reads its own writes; others read them after the commit") {
  using namespace store_contract;
  ContractBackend backend;
  Must(Write(backend.store(), [&](Transaction& t) {
    Must(Append(t, "x"));
    CHECK(Must(t.events().Newest()) == 1);
    // What is uncommitted is not there for a reader of another thread.
    int64_t seen = -1;
    std::thread([&] { seen = AsOf(backend.store()); }).join();
    CHECK(seen == 0);
  }));
  CHECK(AsOf(backend.store()) == 1);
}

TEST_CASE("a snapshot stands still while others write") {
  using namespace store_contract;
  ContractBackend backend;
  Must(Write(backend.store(), [&](Transaction& t) { return Append(t, "x"); }));
  Look(backend.store(), [&](const Snapshot& s) {
    CHECK(Must(s.AsOf()) == 1);
    std::thread([&] { Must(Write(backend.store(), [&](Transaction& t) { return Append(t, "y"); })); }).join();
    CHECK(Must(s.AsOf()) == 1);
    CHECK(Must(s.events().After(0, 10)).size() == 1);
  });
  CHECK(AsOf(backend.store()) == 2);
}

TEST_CASE("more readers than there are connections wait for each other") {
  using namespace store_contract;
  ContractBackend backend;
  std::vector<std::thread> threads;
  std::atomic<int> read{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) read += AsOf(backend.store()) == 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(read == 16 * 20);
}

TEST_CASE("listeners hear of events and queues after the commit, and of nothing else") {
  using namespace store_contract;
  ContractBackend backend;
  Listener listener(backend.store());
  Must(Write(backend.store(), [&](Transaction& t) { return t.records().AddTombstone("k", 1); }));
  Status failed = Write(backend.store(), [&](Transaction& t) {
    Must(Append(t, "x"));
    t.WakeQueues();
    return Error(Code::kInvalid, "no.");
  });
  CHECK_FALSE(failed.ok());
  CHECK(listener.wakes().empty());
  Must(Write(backend.store(), [&](Transaction& t) { return Append(t, "x"); }));
  CHECK(listener.Heard(/*events=*/true, /*queues=*/false, /*foreign=*/false));
  CHECK_FALSE(listener.wakes()[0].queues);
  listener.Forget();
  Must(Write(backend.store(), [&](Transaction& t) { t.WakeQueues(); }));
  CHECK(listener.Heard(false, true, false));
  CHECK_FALSE(listener.wakes()[0].events);
}

TEST_CASE("another store over the same data hears of a commit and reads it") {
  using namespace store_contract;
  ContractBackend backend;
  std::unique_ptr<Store> other = backend.OpenAnother();
  Listener here(backend.store()), there(*other);
  CHECK(other->epoch() == backend.store().epoch());
  Must(Write(backend.store(), [&](Transaction& t) {
    t.WakeQueues();
    return Append(t, "x");
  }));
  CHECK(there.Heard(true, true, /*foreign=*/true));
  CHECK(AsOf(*other) == 1);
  Must(Write(*other, [&](Transaction& t) { return Append(t, "y"); }));
  CHECK(here.Heard(true, false, /*foreign=*/true));
  CHECK(AsOf(backend.store()) == 2);
}

TEST_CASE("two stores of one process write at the same time and lose nothing") {
  using namespace store_contract;
  ContractBackend backend;
  std::unique_ptr<Store> other = backend.OpenAnother();
  constexpr int kRows = 500;
  auto write = [&](Store& store) {
    for (int i = 0; i < kRows; ++i) Must(Write(store, [&](Transaction& t) { return Append(t, "x"); }));
  };
  std::thread thread([&] { write(*other); });
  write(backend.store());
  thread.join();
  CHECK(AsOf(backend.store()) == 2 * kRows);
  other.reset();
  backend.Reopen();
  Look(backend.store(),
       [&](const Snapshot& s) { CHECK(Must(s.events().After(0, 10'000)).size() == 2 * kRows); });
}

TEST_CASE("Commit from inside the writer is refused instead of waiting for itself") {
  using namespace store_contract;
  ContractBackend backend;
  Status inner;
  Must(Write(backend.store(),
             [&](Transaction&) { inner = backend.store().Commit([](Transaction&) { return OkStatus(); }); }));
  CHECK(CodeOf(inner) == Code::kInvalid);
}

TEST_CASE("Stop commits what is queued, and then everything is closed") {
  using namespace store_contract;
  ContractBackend backend;
  std::atomic<int> committed{0};
  for (int i = 0; i < 300; ++i) {
    backend.store().CommitAsync([](Transaction& t) { return Append(t, "x"); },
                                [&](Status s) { committed += s.ok(); });
  }
  backend.store().Stop();
  CHECK(committed == 300);
  CHECK(CodeOf(Write(backend.store(), [](Transaction& t) { return Append(t, "x"); })) == Code::kClosed);
  CHECK(CodeOf(backend.store().Read([](const Snapshot&) { return OkStatus(); })) == Code::kClosed);
  Code late = Code::kOk;
  backend.store().CommitAsync([](Transaction&) { return OkStatus(); }, [&](Status s) { late = CodeOf(s); });
  CHECK(late == Code::kClosed);
  std::string epoch = backend.store().epoch();
  backend.Reopen();
  CHECK(AsOf(backend.store()) == 300);
  CHECK(backend.store().epoch() == epoch);
}

TEST_CASE("a read's own error comes back as it is") {
  ContractBackend backend;
  Status status = backend.store().Read([](const Snapshot&) { return Error(Code::kForbidden, "no."); });
  CHECK(CodeOf(status) == Code::kForbidden);
  Look(backend.store(), [](const Snapshot& s) { CHECK(Must(s.AsOf()) == 0); });
}

}  // namespace mediagen
