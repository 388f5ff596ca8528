#include "events/hub.h"

#include <doctest/doctest.h>

#include <latch>
#include <thread>

#include "base/json.h"
#include "store/sqlite/open.h"
#include "support/temp_dir.h"

using namespace mediagen;
using mediagen::testing::TempDir;

namespace {

// A hub over a real store, everything on this thread.
struct Fixture {
  TempDir dir;
  FakeClock clock;
  Metrics metrics;
  LogSink log{&clock};
  std::unique_ptr<Executor> executor = NewManualExecutor(&clock);
  std::unique_ptr<Store> store;
  std::unique_ptr<Hub> hub;

  explicit Fixture(size_t backlog = 1000) {
    SqliteOptions options;
    options.dir = dir.path();
    options.threaded = false;
    auto opened = OpenSqliteStore(&clock, SystemFiles(), &metrics, &log, options);
    REQUIRE(opened.ok());
    store = std::move(*opened);
    hub = Hub::New(store.get(), executor.get(), &clock, &metrics, &log, {.backlog = backlog});
    store->OnWake([this](const Store::Wake& wake) {
      if (wake.events) hub->Poke();
    });
    REQUIRE(hub->Start().ok());
  }
  ~Fixture() {
    hub->Stop();
    store->Stop();
  }

  int64_t Publish(std::string topic, std::string user, std::string object = "", std::string type = "made") {
    int64_t sequence = 0;
    Status committed = store->Commit([&](Transaction& transaction) -> Status {
      Event event;
      event.topic = topic;
      event.type = type;
      event.user = user;
      event.object = object;
      event.at_ms = clock.WallMs();
      ASSIGN_OR_RETURN(sequence, transaction.events().Append(event));
      return OkStatus();
    });
    REQUIRE(committed.ok());
    return sequence;
  }
  void Drain() {
    for (int i = 0; i < 1000; ++i) {
      if (!store->RunOnce() && !executor->RunOne()) {
        if (executor->NextDue() == INT64_MAX) return;
        clock.Advance(10);
      }
    }
  }
  std::shared_ptr<Subscription> Subscribe(SubscriptionOptions options) {
    auto subscription = hub->Subscribe(options);
    REQUIRE(subscription.ok());
    return *subscription;
  }
  std::vector<std::string> Pull(Subscription& subscription) {
    Drain();
    std::vector<std::string> ids;
    Delivery event;
    while (subscription.Pull(&event) == Subscription::Next::kEvent)
      ids.push_back(event.type == "reset" ? "reset" : event.id);
    return ids;
  }
  std::string IdOf(int64_t sequence) { return EventId(store->epoch(), sequence); }
};

SubscriptionOptions All(std::optional<std::string> after = std::nullopt) {
  return {.viewer = {.all = true, .user = ""}, .topics = {}, .object = "", .after = after};
}

}  // namespace

TEST_CASE("a subscriber sees what comes after it, in commit order") {
  Fixture f;
  f.Publish("a", "u1");
  auto subscription = f.Subscribe(All());
  std::vector<std::string> expected = {f.IdOf(f.Publish("a", "u1")), f.IdOf(f.Publish("b", "u2"))};
  CHECK(f.Pull(*subscription) == expected);
  CHECK(subscription->Position() == expected.back());
}

TEST_CASE("resuming after any position gives exactly the rest, once") {
  Fixture f;
  std::vector<int64_t> sequences;
  for (int i = 0; i < 10; ++i) sequences.push_back(f.Publish("a", "u1"));
  for (size_t i = 0; i < sequences.size(); ++i) {
    auto subscription = f.Subscribe(All(f.IdOf(sequences[i])));
    std::vector<std::string> expected;
    for (size_t j = i + 1; j < sequences.size(); ++j) expected.push_back(f.IdOf(sequences[j]));
    CHECK(f.Pull(*subscription) == expected);
    int64_t later = f.Publish("a", "u1");
    sequences.push_back(later);
    CHECK(f.Pull(*subscription) == std::vector<std::string>{f.IdOf(later)});
    sequences.pop_back();
    sequences.push_back(later);
    if (i > 3) break;
  }
}

TEST_CASE("a user sees only what is theirs or public, and only the topics and object asked for") {
  Fixture f;
  auto mine = f.Subscribe(
      {.viewer = {.all = false, .user = "u1"}, .topics = {}, .object = "", .after = std::nullopt});
  auto topic = f.Subscribe(
      {.viewer = {.all = true, .user = ""}, .topics = {"b"}, .object = "", .after = std::nullopt});
  auto object =
      f.Subscribe({.viewer = {.all = true, .user = ""}, .topics = {}, .object = "o2", .after = std::nullopt});
  auto first = f.IdOf(f.Publish("a", "u1", "o1"));
  f.Publish("a", "u2", "o1");
  f.Publish("a", "", "o1");
  auto second = f.IdOf(f.Publish("b", "u2", "o2"));
  CHECK(f.Pull(*mine) == std::vector<std::string>{first});
  CHECK(f.Pull(*topic) == std::vector<std::string>{second});
  CHECK(f.Pull(*object) == std::vector<std::string>{second});
  CHECK(mine->Position() == second);  // it has seen everything up to there that it may see
}

TEST_CASE("another history, a cut gap and a future position are each told by one reset") {
  Fixture f;
  for (int i = 0; i < 5; ++i) f.Publish("a", "u1");
  f.clock.Advance(90'000'000);
  REQUIRE(f.hub->Prune().ok());
  auto kept = f.Publish("a", "u1");
  auto gap = f.Subscribe(All(f.IdOf(1)));
  CHECK(f.Pull(*gap) == std::vector<std::string>{"reset"});
  auto other = f.Subscribe(All("elsewhere:1"));
  CHECK(f.Pull(*other) == std::vector<std::string>{"reset"});
  auto future = f.Subscribe(All(f.IdOf(kept + 100)));
  CHECK(f.Pull(*future) == std::vector<std::string>{"reset"});
  auto next = f.Publish("a", "u1");
  CHECK(f.Pull(*gap) == std::vector<std::string>{f.IdOf(next)});
  CHECK_FALSE(f.hub->Subscribe(All("nonsense")).ok());
}

TEST_CASE("a slow subscriber's progress coalesces, and past its backlog it is reset") {
  Fixture f(10);
  auto subscription = f.Subscribe(All());
  for (int i = 0; i < 5; ++i) f.Publish("a", "u1");
  for (int i = 0; i < 20; ++i) f.Publish("generations", "u1", "g1", "generation.progress");
  f.Drain();
  CHECK(f.Pull(*subscription).size() == 6);
  for (int i = 0; i < 25; ++i) f.Publish("a", "u1");
  f.Drain();
  auto ids = f.Pull(*subscription);
  REQUIRE_FALSE(ids.empty());
  CHECK(ids.front() == "reset");
  CHECK(ids.size() <= 10);
}

TEST_CASE("log lines reach those who see all and asked for them, without an id") {
  Fixture f;
  auto everything = f.Subscribe(All());
  auto logs = f.Subscribe(
      {.viewer = {.all = true, .user = ""}, .topics = {"logs"}, .object = "", .after = std::nullopt});
  auto user = f.Subscribe(
      {.viewer = {.all = false, .user = "u1"}, .topics = {"logs"}, .object = "", .after = std::nullopt});
  f.hub->PublishEphemeral("logs", "log", R"({"message":"x"})");
  CHECK(f.Pull(*logs) == std::vector<std::string>{""});
  CHECK(f.Pull(*everything).empty());
  CHECK(f.Pull(*user).empty());
}

TEST_CASE("stopping the hub ends every subscription") {
  Fixture f;
  auto subscription = f.Subscribe(All());
  int woken = 0;
  subscription->OnReadable([&] { ++woken; });
  f.hub->Stop();
  Delivery event;
  CHECK(subscription->Pull(&event) == Subscription::Next::kEnd);
  CHECK(woken == 1);
}

TEST_CASE("many publishers and subscribers: everybody sees everything, in order") {
  TempDir dir;
  Metrics metrics;
  LogSink log(SystemClock());
  auto executor = NewThreadExecutor(SystemClock(), 3, "test");
  SqliteOptions options;
  options.dir = dir.path();
  options.relaxed = true;
  auto opened = OpenSqliteStore(SystemClock(), SystemFiles(), &metrics, &log, options);
  REQUIRE(opened.ok());
  Store& store = **opened;
  auto hub = Hub::New(&store, executor.get(), SystemClock(), &metrics, &log, {.backlog = 100'000});
  store.OnWake([&](const Store::Wake& wake) {
    if (wake.events) hub->Poke();
  });
  REQUIRE(hub->Start().ok());
  constexpr int kPublishers = 4, kEach = 100, kSubscribers = 8;
  struct Seen {
    std::shared_ptr<Subscription> subscription;
    std::mutex mutex;
    std::vector<std::string> ids;
  };
  std::vector<std::unique_ptr<Seen>> all;
  std::latch done(kSubscribers);
  for (int i = 0; i < kSubscribers; ++i) {
    auto seen = std::make_unique<Seen>();
    seen->subscription = *hub->Subscribe(i % 2 == 0 ? All() : All(""));  // half of them from the oldest on
    auto pull = [one = seen.get(), &done] {
      std::lock_guard lock(one->mutex);
      Delivery event;
      while (one->subscription->Pull(&event) == Subscription::Next::kEvent) {
        one->ids.push_back(event.id);
        if (one->ids.size() == kPublishers * kEach) done.count_down();
      }
    };
    seen->subscription->OnReadable(pull);
    pull();
    all.push_back(std::move(seen));
  }
  std::vector<std::thread> publishers;
  for (int p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        Status committed = store.Commit([](Transaction& transaction) {
          Event event;
          event.topic = event.type = "a";
          return transaction.events().Append(event).status();
        });
        if (!committed.ok()) std::abort();
      }
    });
  }
  for (auto& publisher : publishers) publisher.join();
  done.wait();
  for (auto& seen : all) {
    std::lock_guard lock(seen->mutex);
    CHECK(seen->ids == all[0]->ids);
  }
  hub->Stop();
  executor->Stop();
  store.Stop();
}
