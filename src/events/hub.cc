#include "events/hub.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <unordered_map>

#include "events/subscription.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int kReadBatch = 500;
constexpr int kPruneBatch = 1000;

class StoreHub final : public Hub, public std::enable_shared_from_this<StoreHub> {
 public:
  StoreHub(Store* store, Executor* executor, Clock* clock, Metrics* metrics, LogSink* log,
           const HubOptions& options)
      : store_(store), executor_(executor), clock_(clock), log_(log), options_(options) {
    subscribers_ = metrics->AddGauge("mediagen_event_subscribers", "Open event subscriptions.");
    delivered_ = metrics->AddCounter("mediagen_events_tailed_total", "Events read from the log.");
  }

  Status Start() override {
    return store_->Read([&](const Snapshot& snapshot) -> Status {
      ASSIGN_OR_RETURN(tail_, snapshot.events().Newest());
      return OkStatus();
    });
  }

  StatusOr<std::shared_ptr<Subscription>> Subscribe(const SubscriptionOptions& options) override {
    const std::string epoch = store_->epoch();
    int64_t after = -1;
    bool foreign = false;
    if (options.after && options.after->empty()) {
      after = 0;
    } else if (options.after) {
      ASSIGN_OR_RETURN(EventPosition position, ParseEventId(*options.after));
      foreign = position.epoch != epoch;
      after = position.sequence;
    }
    auto subscription = std::make_shared<QueuedSubscription>(options, epoch, options_.backlog);
    if (after < 0) {
      // From now on: what is committed already is not told again, though the tail may not have come to it
      // yet.
      int64_t newest = 0;
      RETURN_IF_ERROR(store_->Read([&](const Snapshot& snapshot) -> Status {
        ASSIGN_OR_RETURN(newest, snapshot.events().Newest());
        return OkStatus();
      }));
      if (!Join(subscription, newest)) Join(subscription, -1);
      return std::shared_ptr<Subscription>(subscription);
    }
    int64_t oldest = 0, newest = 0;
    RETURN_IF_ERROR(store_->Read([&](const Snapshot& snapshot) -> Status {
      ASSIGN_OR_RETURN(oldest, snapshot.events().Oldest());
      ASSIGN_OR_RETURN(newest, snapshot.events().Newest());
      return OkStatus();
    }));
    const bool cut = !options.after->empty() && after + 1 < oldest;
    if (foreign || cut || after > newest) {
      subscription->Reset(foreign ? "history" : cut ? "retention" : "history", newest, clock_->WallMs());
      after = newest;
    }
    subscription->Advance(after);
    CatchUp(subscription, after);
    return std::shared_ptr<Subscription>(subscription);
  }

  void Poke() override {
    {
      std::lock_guard lock(mutex_);
      again_ = true;
      if (pumping_ || stopped_) return;
      pumping_ = true;
    }
    executor_->Post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->Pump();
    });
  }

  void PublishEphemeral(std::string_view topic, std::string_view type, std::string data_json) override {
    Event event;
    event.topic = topic;
    event.type = type;
    event.data_json = std::move(data_json);
    event.at_ms = clock_->WallMs();
    Delivery delivery = DeliveryOf(event, "");
    for (const auto& subscription : Live()) {
      const auto& topics = subscription->options().topics;
      const bool named = std::find(topics.begin(), topics.end(), topic) !=
                         topics.end();  // never by "all topics": a log would drown the rest
      if (subscription->options().viewer.all && named) subscription->OfferEphemeral(delivery);
    }
  }

  Status Prune() override {
    const int64_t before = clock_->WallMs() - options_.retention_ms;
    for (int removed = kPruneBatch; removed == kPruneBatch;) {
      RETURN_IF_ERROR(store_->Commit([&](Transaction& transaction) -> Status {
        ASSIGN_OR_RETURN(removed, transaction.events().Prune(before, kPruneBatch));
        return OkStatus();
      }));
    }
    return OkStatus();
  }

  void Stop() override {
    std::vector<std::shared_ptr<QueuedSubscription>> live;
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
      live.swap(live_);
      for (auto& subscription : catching_up_) live.push_back(subscription);
      catching_up_.clear();
    }
    for (const auto& subscription : live) subscription->End();
  }

 private:
  std::vector<std::shared_ptr<QueuedSubscription>> Live() {
    std::lock_guard lock(mutex_);
    std::erase_if(live_, [](const auto& subscription) { return subscription->closed(); });
    subscribers_.Set(static_cast<double>(live_.size()));
    return live_;
  }

  // Adds the subscription to the live ones when it has seen everything up to the tail (or asks for nothing
  // older: -1). False: there is more to read first.
  bool Join(const std::shared_ptr<QueuedSubscription>& subscription, int64_t seen) {
    std::lock_guard lock(mutex_);
    if (stopped_) {
      subscription->End();
      return true;
    }
    if (seen >= 0 && seen < tail_) return false;
    subscription->Advance(std::max(seen, tail_));
    live_.push_back(subscription);
    joined_at_[subscription.get()] = std::max(seen, tail_);
    std::erase(catching_up_, subscription);
    return true;
  }

  // Reads the log from `after` on for one subscriber until it meets the tail. On the executor, in batches, so
  // that nobody waits for a long history.
  void CatchUp(const std::shared_ptr<QueuedSubscription>& subscription, int64_t after) {
    {
      std::lock_guard lock(mutex_);
      if (std::find(catching_up_.begin(), catching_up_.end(), subscription) == catching_up_.end())
        catching_up_.push_back(subscription);
    }
    executor_->Post([weak = weak_from_this(), subscription, after] {
      auto self = weak.lock();
      if (self == nullptr || subscription->closed()) return;
      int64_t seen = after;
      Status read = self->store_->Read([&](const Snapshot& snapshot) -> Status {
        ASSIGN_OR_RETURN(auto events, snapshot.events().After(after, kReadBatch));
        for (const Event& event : events) {
          subscription->Offer(event);
          seen = event.sequence;
        }
        subscription->Advance(seen);
        return OkStatus();
      });
      if (!read.ok()) {
        self->log_->Write(LogLevel::kWarning, "events", "a subscriber could not be caught up",
                          {{"error", InfoOf(read).message}});
        return subscription->End();
      }
      if (self->Join(subscription, seen)) return;
      if (seen == after || subscription->full()) {
        // The tail is ahead of what this snapshot showed, or the subscriber has to pull first.
        self->executor_->PostAt(self->clock_->MonotonicMs() + 5, [weak, subscription, seen] {
          if (auto again = weak.lock()) again->CatchUp(subscription, seen);
        });
        return;
      }
      self->CatchUp(subscription, seen);
    });
  }

  void Pump() {
    while (true) {
      {
        std::lock_guard lock(mutex_);
        if (!again_ || stopped_) {
          pumping_ = false;
          return;
        }
        again_ = false;
      }
      while (PumpBatch()) {
      }
    }
  }

  // One batch of the tail to everybody. True when there may be more.
  bool PumpBatch() {
    std::vector<Event> events;
    Status read = store_->Read([&](const Snapshot& snapshot) -> Status {
      ASSIGN_OR_RETURN(events, snapshot.events().After(tail_, kReadBatch));
      return OkStatus();
    });
    if (!read.ok()) {
      if (CodeOf(read) != Code::kClosed)
        log_->Write(LogLevel::kWarning, "events", "the event log could not be read",
                    {{"error", InfoOf(read).message}});
      return false;
    }
    if (events.empty()) return false;
    delivered_.Add(static_cast<double>(events.size()));
    std::vector<std::pair<std::shared_ptr<QueuedSubscription>, int64_t>> targets;
    {
      // The tail moves in the same step in which the targets are taken: who joins later starts behind these
      // events.
      std::lock_guard lock(mutex_);
      tail_ = events.back().sequence;
      std::erase_if(live_, [&](const auto& subscription) {
        if (!subscription->closed()) return false;
        joined_at_.erase(subscription.get());
        return true;
      });
      for (const auto& subscription : live_)
        targets.emplace_back(subscription, joined_at_[subscription.get()]);
      subscribers_.Set(static_cast<double>(live_.size()));
    }
    for (const auto& [subscription, joined_at] : targets) {
      for (const Event& event : events) {
        if (event.sequence > joined_at) subscription->Offer(event);
      }
      subscription->Advance(events.back().sequence);
    }
    return events.size() == kReadBatch;
  }

  Store* store_;
  Executor* executor_;
  Clock* clock_;
  LogSink* log_;
  const HubOptions options_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<QueuedSubscription>> live_, catching_up_;
  std::unordered_map<const QueuedSubscription*, int64_t> joined_at_;
  int64_t tail_ = 0;  // written by the one pump, under the lock
  bool again_ = false, pumping_ = false, stopped_ = false;
  Gauge subscribers_;
  Counter delivered_;
};

// The hub's callbacks hold weak pointers to it; its owner holds a plain unique_ptr.
class OwnedHub final : public Hub {
 public:
  explicit OwnedHub(std::shared_ptr<StoreHub> hub) : hub_(std::move(hub)) {}
  Status Start() override { return hub_->Start(); }
  StatusOr<std::shared_ptr<Subscription>> Subscribe(const SubscriptionOptions& options) override {
    return hub_->Subscribe(options);
  }
  void Poke() override { hub_->Poke(); }
  void PublishEphemeral(std::string_view topic, std::string_view type, std::string data_json) override {
    hub_->PublishEphemeral(topic, type, std::move(data_json));
  }
  Status Prune() override { return hub_->Prune(); }
  void Stop() override { hub_->Stop(); }

 private:
  std::shared_ptr<StoreHub> hub_;
};

}  // namespace

std::unique_ptr<Hub> Hub::New(Store* store, Executor* executor, Clock* clock, Metrics* metrics, LogSink* log,
                              const HubOptions& options) {
  return std::make_unique<OwnedHub>(
      std::make_shared<StoreHub>(store, executor, clock, metrics, log, options));
}

std::string EventId(std::string_view epoch, int64_t sequence) {
  return fmt::format("{}:{}", epoch, sequence);
}

StatusOr<EventPosition> ParseEventId(std::string_view text) {
  EventPosition position;
  size_t colon = text.rfind(':');
  bool good = colon != std::string_view::npos && colon > 0 && text.size() <= 128;
  if (good) {
    position.epoch = text.substr(0, colon);
    auto [end, error] =
        std::from_chars(text.data() + colon + 1, text.data() + text.size(), position.sequence);
    good = error == std::errc() && end == text.data() + text.size() && position.sequence >= 0;
  }
  if (good) return position;
  return Error(Code::kInvalid, fmt::format("\"{}\" is not an event id.", Shorten(text, 60)),
               {.hint = "Event ids look like e1:1042; take the last one you saw."});
}

}  // namespace mediagen
