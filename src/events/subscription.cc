#include "events/subscription.h"

#include <algorithm>

#include "base/json.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr std::string_view kProgressSuffix = ".progress";

bool IsProgress(std::string_view type) {
  return type.size() > kProgressSuffix.size() &&
         type.substr(type.size() - kProgressSuffix.size()) == kProgressSuffix;
}

}  // namespace

Delivery DeliveryOf(const Event& event, std::string_view epoch) {
  Delivery delivery;
  if (event.sequence > 0) delivery.id = EventId(epoch, event.sequence);
  delivery.type = event.type;
  delivery.object = event.object;
  std::string json;
  auto text = [&](std::string_view key, std::string_view value) {
    json += key;
    value.empty() ? json.append("null") : (AppendJsonString(value, &json), json);
  };
  text(R"({"id":)", delivery.id);
  text(R"(,"topic":)", event.topic);
  text(R"(,"type":)", event.type);
  text(R"(,"object":)", event.object);
  text(R"(,"user":)", event.user);
  json += fmt::format(R"(,"data":{},"at":"{}"}})", event.data_json.empty() ? "{}" : event.data_json,
                      FormatTime(event.at_ms));
  delivery.document = BufferRef::Own(std::move(json));
  return delivery;
}

bool QueuedSubscription::Wants(const Event& event) const {
  const Viewer& viewer = options_.viewer;
  if (!viewer.all && event.visibility != "public" && (event.user.empty() || event.user != viewer.user))
    return false;
  if (!options_.object.empty() && event.object != options_.object) return false;
  return options_.topics.empty() ||
         std::find(options_.topics.begin(), options_.topics.end(), event.topic) != options_.topics.end();
}

Subscription::Next QueuedSubscription::Pull(Delivery* out) {
  std::lock_guard lock(mutex_);
  if (!queue_.empty()) {
    *out = std::move(queue_.front().delivery);
    if (queue_.front().sequence > 0) pulled_ = queue_.front().sequence;
    queue_.pop_front();
    return Next::kEvent;
  }
  if (ended_ || closed_) return Next::kEnd;
  pulled_ = std::max(pulled_, advanced_);
  waiting_ = true;
  return Next::kEmpty;
}

void QueuedSubscription::OnReadable(std::function<void()> readable) {
  std::lock_guard lock(mutex_);
  readable_ = std::move(readable);
}

std::string QueuedSubscription::Position() {
  std::lock_guard lock(mutex_);
  return EventId(epoch_, queue_.empty() ? std::max(pulled_, advanced_) : pulled_);
}

void QueuedSubscription::Close() {
  std::function<void()> dropped;
  std::lock_guard lock(mutex_);
  closed_ = true;
  queue_.clear();
  dropped.swap(readable_);  // what it captured goes with it
}

// Tells a waiting subscriber, outside the lock.
void QueuedSubscription::Wake(std::unique_lock<std::mutex>& lock) {
  if (!waiting_ || closed_) return;
  waiting_ = false;
  std::function<void()> readable = readable_;
  lock.unlock();
  if (readable) readable();
}

void QueuedSubscription::Offer(const Event& event) {
  if (!Wants(event)) return;
  Queued entry{DeliveryOf(event, epoch_), event.sequence, IsProgress(event.type) ? event.object : ""};
  std::unique_lock lock(mutex_);
  if (ended_ || closed_) return;
  if (!entry.progress_of.empty() && queue_.size() >= backlog_ / 2) {
    std::erase_if(queue_, [&](const Queued& queued) { return queued.progress_of == entry.progress_of; });
  }
  if (queue_.size() >= backlog_) {
    lock.unlock();
    return Reset("slow", event.sequence, event.at_ms);
  }
  queue_.push_back(std::move(entry));
  Wake(lock);
}

void QueuedSubscription::OfferEphemeral(const Delivery& delivery) {
  std::unique_lock lock(mutex_);
  if (ended_ || closed_ || queue_.size() >= backlog_) return;  // a log line is not worth a reset
  queue_.push_back({delivery, 0, ""});
  Wake(lock);
}

void QueuedSubscription::Advance(int64_t sequence) {
  std::lock_guard lock(mutex_);
  advanced_ = std::max(advanced_, sequence);
}

void QueuedSubscription::Reset(std::string_view reason, int64_t sequence, int64_t at_ms) {
  Event event;
  event.sequence = sequence;
  event.type = "reset";
  event.data_json = fmt::format(R"({{"reason":"{}"}})", reason);
  event.at_ms = at_ms;
  Queued entry{DeliveryOf(event, epoch_), sequence, ""};
  entry.delivery.id = EventId(epoch_, sequence);
  std::unique_lock lock(mutex_);
  if (ended_ || closed_) return;
  queue_.clear();
  queue_.push_back(std::move(entry));
  advanced_ = std::max(advanced_, sequence);
  Wake(lock);
}

void QueuedSubscription::End() {
  std::unique_lock lock(mutex_);
  ended_ = true;
  Wake(lock);
}

bool QueuedSubscription::closed() {
  std::lock_guard lock(mutex_);
  return closed_;
}

bool QueuedSubscription::full() {
  std::lock_guard lock(mutex_);
  return queue_.size() >= backlog_ / 2;
}

}  // namespace mediagen
