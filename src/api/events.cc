// /v1/events: Server-Sent Events (WHATWG HTML §9.2) with resume.
#include <algorithm>
#include <mutex>

#include "api/documents.h"
#include "api/previews.h"
#include "api/query.h"
#include "api/router.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kHeartbeatMs = 15'000;  // proxies close streams that are silent for longer
constexpr size_t kPieceBytes = 32 << 10;  // frames of one pull

// A subscription as SSE frames. A heartbeat is a frame with only an id: it moves the client's Last-Event-ID
// past events that were not for it.
class EventStream final : public BodyStream, public std::enable_shared_from_this<EventStream> {
 public:
  EventStream(std::shared_ptr<Subscription> subscription, bool previews, Executor* executor, Clock* clock)
      : subscription_(std::move(subscription)), previews_(previews), executor_(executor), clock_(clock) {}

  void Start() {
    subscription_->OnReadable([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->Wake();
    });
    ScheduleBeat();
  }

  Pull Next(BufferRef* piece) override {
    std::string frames;
    {
      std::lock_guard lock(mutex_);
      if (!greeted_) frames += "retry: 2000\n\n";  // also tells the client that the stream stands
      greeted_ = true;
      if (beat_due_) frames += fmt::format("id: {}\n\n", subscription_->Position());
      beat_due_ = false;
    }
    Delivery event;
    Subscription::Next next = Subscription::Next::kEmpty;
    while (frames.size() < kPieceBytes &&
           (next = subscription_->Pull(&event)) == Subscription::Next::kEvent) {
      if (!event.id.empty()) frames += fmt::format("id: {}\n", event.id);
      frames += fmt::format("event: {}\ndata: ", event.type);
      // JSON of one line: no newline can be inside.
      previews_ ? frames += WithPreviews(event.document.view()) : frames += event.document.view();
      frames += "\n\n";
    }
    if (!frames.empty()) {
      *piece = BufferRef::Own(std::move(frames));
      return Pull::kData;
    }
    return next == Subscription::Next::kEnd ? Pull::kEnd : Pull::kEmpty;
  }

  void OnReadable(std::function<void()> readable) override {
    std::lock_guard lock(mutex_);
    readable_ = std::move(readable);
  }

  void Close() override {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      readable_ = nullptr;
    }
    subscription_->Close();
  }

 private:
  void Wake() {
    std::function<void()> call;
    {
      std::lock_guard lock(mutex_);
      call = readable_;
    }
    if (call) call();
  }

  void ScheduleBeat() {
    executor_->PostAt(clock_->MonotonicMs() + kHeartbeatMs, [weak = weak_from_this()] {
      auto self = weak.lock();
      if (!self) return;
      {
        std::lock_guard lock(self->mutex_);
        if (self->closed_) return;
        self->beat_due_ = true;
      }
      self->Wake();
      self->ScheduleBeat();
    });
  }

  std::shared_ptr<Subscription> subscription_;
  const bool previews_;
  Executor* executor_;
  Clock* clock_;
  std::mutex mutex_;
  std::function<void()> readable_;
  bool greeted_ = false, beat_due_ = false, closed_ = false;
};

StatusOr<SubscriptionOptions> OptionsOf(const ApiExchange& exchange, bool* previews) {
  ASSIGN_OR_RETURN(TargetQuery query, TargetQuery::Parse(exchange.request.query));
  SubscriptionOptions options;
  options.viewer = exchange.viewer;
  options.after = query.Text("after");
  // What the browser has seen last is newer than what the page's URL says.
  if (std::string_view last = exchange.request.Header("last-event-id"); !last.empty())
    options.after = std::string(last);
  options.object = query.Text("object").value_or("");
  if (auto topics = query.Text("topics")) {
    for (std::string_view rest = *topics; !rest.empty();) {
      size_t comma = std::min(rest.find(','), rest.size());
      if (comma > 0) options.topics.emplace_back(rest.substr(0, comma));
      rest = rest.substr(std::min(comma + 1, rest.size()));
    }
  }
  ASSIGN_OR_RETURN(*previews, query.Flag("previews"));
  RETURN_IF_ERROR(query.Finish());
  return options;
}

}  // namespace

void GetEvents(Router& router, std::shared_ptr<ApiExchange> exchange) {
  bool previews = false;
  auto options = OptionsOf(*exchange, &previews);
  if (!options.ok()) return exchange->Fail(options.status());
  auto subscription = router.parts().hub->Subscribe(*options);
  if (!subscription.ok()) return exchange->Fail(subscription.status());
  auto stream = std::make_shared<EventStream>(std::move(*subscription), previews, router.parts().executor,
                                              router.parts().clock);
  stream->Start();
  Response response;
  response.headers = {
      {"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.body = std::shared_ptr<BodyStream>(std::move(stream));
  exchange->Reply(std::move(response));
}

}  // namespace mediagen
