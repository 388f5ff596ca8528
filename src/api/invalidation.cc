#include "api/invalidation.h"

#include <mutex>

namespace mediagen {
namespace {

void Apply(const Delivery& event, Media* media) {
  if (event.type == "reset") return media->ForgetAll();
  auto output = Id::Parse(event.object);
  if (!output.ok()) return;
  // Pictures are named by the bytes of their original, which never change: they go with their output only.
  if (event.type == "output.deleted") return media->Forget(*output);
  media->ForgetCard(*output);
}

// Pulls on the hub's thread: forgetting is quick. One at a time, for a wake may come during another.
struct Follower {
  std::mutex mutex;
  void Drain(Subscription& subscription, Media* media) {
    std::lock_guard lock(mutex);
    Delivery event;
    while (subscription.Pull(&event) == Subscription::Next::kEvent) Apply(event, media);
  }
};

}  // namespace

StatusOr<std::shared_ptr<Subscription>> FollowOutputs(Hub* hub, Media* media) {
  SubscriptionOptions options;
  options.viewer.all = true;
  options.topics = {"outputs"};
  ASSIGN_OR_RETURN(auto subscription, hub->Subscribe(options));
  auto follower = std::make_shared<Follower>();
  subscription->OnReadable([follower, weak = std::weak_ptr(subscription), media] {
    if (auto alive = weak.lock()) follower->Drain(*alive, media);
  });
  follower->Drain(*subscription, media);  // from now on it tells when there is more
  return subscription;
}

}  // namespace mediagen
