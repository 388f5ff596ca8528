// One subscriber's bounded queue, between the hub that fills it and the host that pulls.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>

#include "events/hub.h"

namespace mediagen {

// Thread-safe. `readable` is called outside the lock.
class QueuedSubscription final : public Subscription,
                                 public std::enable_shared_from_this<QueuedSubscription> {
 public:
  QueuedSubscription(SubscriptionOptions options, std::string epoch, size_t backlog)
      : options_(std::move(options)), epoch_(std::move(epoch)), backlog_(backlog) {}

  Next Pull(Delivery* out) override;
  void OnReadable(std::function<void()> readable) override;
  std::string Position() override;
  void Close() override;

  const SubscriptionOptions& options() const { return options_; }
  bool Wants(const Event& event) const;
  // `event` in, when it is wanted; progress of one object coalesces once the queue is half full; past the
  // backlog everything is dropped for one reset.
  void Offer(const Event& event);
  void OfferEphemeral(const Delivery& delivery);
  // Everything up to `sequence` has been offered.
  void Advance(int64_t sequence);
  // Forgets what is queued and says so; the subscriber goes on from `sequence`.
  void Reset(std::string_view reason, int64_t sequence, int64_t at_ms);
  void End();
  bool closed();
  // Whether catching up should pause until the subscriber has pulled.
  bool full();

 private:
  struct Queued {
    Delivery delivery;
    int64_t sequence = 0;
    std::string progress_of;  // object id, for events that a later one replaces
  };
  void Wake(std::unique_lock<std::mutex>& lock);

  const SubscriptionOptions options_;
  const std::string epoch_;
  const size_t backlog_;
  std::mutex mutex_;
  std::deque<Queued> queue_;
  std::function<void()> readable_;
  int64_t advanced_ = 0, pulled_ = 0;
  bool waiting_ = true;  // the subscriber has seen kEmpty, or has not pulled yet
  bool ended_ = false, closed_ = false;
};

// documents.md "Event".
Delivery DeliveryOf(const Event& event, std::string_view epoch);

}  // namespace mediagen
