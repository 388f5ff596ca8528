#include "engine/pump.h"

#include <algorithm>
#include <array>
#include <mutex>

#include "base/json.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr std::array<std::string_view, 6> kOurTopics = {"generations", "outputs", "reactions",
                                                        "jobs",        "queues",  "logs"};

bool IsTopicName(std::string_view topic) {
  if (topic.empty() || topic.size() > 64) return false;
  return std::all_of(topic.begin(), topic.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':' || c == '/';
  });
}

// Runs at most one drain at a time; a wake during a drain makes another.
struct Pump : std::enable_shared_from_this<Pump> {
  std::shared_ptr<Subscription> subscription;
  Executor* executor = nullptr;
  std::function<void(BufferRef)> deliver;
  std::function<void(Status)> ended;
  std::mutex mutex;
  bool running = false, again = false, over = false;

  void Wake() {
    {
      std::lock_guard lock(mutex);
      again = true;
      if (running || over) return;
      running = true;
    }
    if (!executor->Post([self = shared_from_this()] { self->Drain(); })) Drain();
  }

  void Drain() {
    while (true) {
      {
        std::lock_guard lock(mutex);
        if (!again || over) {
          running = false;
          return;
        }
        again = false;
      }
      Delivery event;
      Subscription::Next next;
      while ((next = subscription->Pull(&event)) == Subscription::Next::kEvent)
        deliver(std::move(event.document));
      if (next == Subscription::Next::kEnd) return Finish();
    }
  }

  void Finish() {
    std::function<void(Status)> call;
    {
      std::lock_guard lock(mutex);
      if (over) return;
      over = true;
      call = std::move(ended);
    }
    if (call)
      call(Error(Code::kClosed, "The engine was closed.",
                 {.hint = "Subscribe again with the last event's id."}));
  }

  void Stop() {
    {
      std::lock_guard lock(mutex);
      over = true;
      ended = nullptr;
    }
    subscription->Close();
  }
};

}  // namespace

StatusOr<SubscriptionOptions> ParseSubscription(std::string_view text, const Viewer& viewer, bool* previews) {
  *previews = false;
  SubscriptionOptions options;
  options.viewer = viewer;
  if (Trim(text).empty()) return options;
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "subscription"));
  FieldReader fields(json, "subscription");
  Json topics = Json::array();
  fields.Array("topics", &topics, 50);
  for (const Json& topic : topics) {
    if (!topic.is_string() || !IsTopicName(topic.get_ref<const std::string&>())) {
      fields.Refuse("topics", "must hold topic names");
      break;
    }
    options.topics.push_back(topic.get<std::string>());
  }
  fields.OptionalString("after", &options.after, {.max_bytes = 128});
  fields.String("object", &options.object, {.max_bytes = 128});
  fields.Bool("previews", previews);
  RETURN_IF_ERROR(fields.Finish());
  return options;
}

StatusOr<Event> HostEvent(std::string_view topic, std::string_view user, std::string_view data,
                          int64_t now_ms) {
  if (!IsTopicName(topic)) {
    return Error(Code::kInvalid,
                 fmt::format("\"{}\" is not a topic: 1 to 64 characters of A-Z a-z 0-9 - _ . : / are.",
                             Shorten(topic, 70)));
  }
  if (std::find(kOurTopics.begin(), kOurTopics.end(), topic) != kOurTopics.end()) {
    return Error(Code::kInvalid, fmt::format("The topic \"{}\" is mediagen's own.", topic),
                 {.hint = "Publish under a name of yours."});
  }
  if (user.size() > 128) return Error(Code::kInvalid, "A user is at most 128 bytes.");
  ASSIGN_OR_RETURN(Json json,
                   ParseJson(Trim(data).empty() ? "{}" : data, "event data", {.max_bytes = 64 << 10}));
  if (!json.is_object()) return Error(Code::kInvalid, "Event data must be a JSON object.");
  Event event;
  event.topic = topic;
  event.type = fmt::format("{}.published", topic);
  event.user = user;
  event.data_json = Dump(json);
  event.at_ms = now_ms;
  return event;
}

Unsubscribe PumpInto(std::shared_ptr<Subscription> subscription, Executor* executor,
                     std::function<void(BufferRef)> deliver, std::function<void(Status)> ended) {
  auto pump = std::make_shared<Pump>();
  pump->subscription = std::move(subscription);
  pump->executor = executor;
  pump->deliver = std::move(deliver);
  pump->ended = std::move(ended);
  pump->subscription->OnReadable([weak = std::weak_ptr(pump)] {
    if (auto self = weak.lock()) self->Wake();
  });
  pump->Wake();
  return [pump] { pump->Stop(); };
}

}  // namespace mediagen
