#include "api/invalidation.h"

#include <mutex>

#include "api/pages.h"
#include "base/json.h"

namespace mediagen {
namespace {

// Of one of our own event documents.
std::string UserOf(const Json& document) {
  const auto user = document.find("user");
  return user != document.end() && user->is_string() ? user->get<std::string>() : "";
}

// Whether a generation counts that failed, as "generation.failed" tells of it.
bool CountsAllTheSame(const Json& document) {
  const Json error = document.value(Json::json_pointer("/data/error"), Json::object());
  return error.is_object() && (error.value("charged", false) || error.value("class", "") == "safety");
}

// Pulls on the hub's thread: forgetting is quick. One at a time, for a wake may come during another.
class Follower {
 public:
  Follower(Media* media, Cache* cache, LeaseBook* leases) : media_(media), cache_(cache), leases_(leases) {}

  void Drain(Subscription& subscription) {
    std::lock_guard lock(mutex_);
    Delivery event;
    while (subscription.Pull(&event) == Subscription::Next::kEvent) Apply(event);
    if (auto position = ParseEventId(subscription.Position()); position.ok())
      sequence->store(position->sequence);
  }

  const std::shared_ptr<std::atomic<int64_t>> sequence = std::make_shared<std::atomic<int64_t>>(0);

 private:
  void Apply(const Delivery& event) {
    if (event.type == "reset") {
      ForgetAllPages(cache_);
      leases_->Clear();
      return media_->ForgetAll();
    }
    const Json document = Json::parse(event.document.view(), nullptr, false);
    ForgetPages(cache_, UserOf(document));
    if (event.type == "generation.failed") return leases_->Failed(event.object, CountsAllTheSame(document));
    if (event.type == "generation.completed" || event.type == "generation.canceled")
      return leases_->Ended(event.object);
    auto output = Id::Parse(event.object);
    if (!output.ok() || !event.type.starts_with("output.")) return;
    // Pictures are named by the bytes of their original, which never change: they go with their output only.
    if (event.type == "output.deleted") return media_->Forget(*output);
    media_->ForgetCard(*output);
  }

  Media* const media_;
  Cache* const cache_;
  LeaseBook* const leases_;
  std::mutex mutex_;
};

}  // namespace

StatusOr<Followed> FollowRecords(Hub* hub, Media* media, Cache* cache, LeaseBook* leases) {
  SubscriptionOptions options;
  options.viewer.all = true;
  ASSIGN_OR_RETURN(auto subscription, hub->Subscribe(options));
  auto follower = std::make_shared<Follower>(media, cache, leases);
  subscription->OnReadable([follower, weak = std::weak_ptr(subscription)] {
    if (auto alive = weak.lock()) follower->Drain(*alive);
  });
  follower->Drain(*subscription);  // from now on it tells when there is more
  return Followed{subscription, follower->sequence};
}

}  // namespace mediagen
