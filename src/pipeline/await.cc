// Await: tells when a generation comes to rest, from its events, without polling.
#include <mutex>

#include "fmt/format.h"
#include "pipeline/pipeline.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

// One waiter for a generation's rest: a subscription to its events, and a look at the row after each.
struct Waiting : std::enable_shared_from_this<Waiting> {
  Pipeline* pipeline = nullptr;
  Viewer viewer;
  std::string id, mount;
  RecordDone done;
  std::shared_ptr<Subscription> subscription;
  std::mutex mutex;
  bool looking = false, again = false, ended = false;

  // Called from any thread, as often as something may have changed; looks one at a time on the executor.
  void Look() {
    {
      std::lock_guard lock(mutex);
      again = true;
      if (looking || ended) return;
      looking = true;
    }
    if (!pipeline->parts().executor->Post([self = shared_from_this()] { self->LookNow(); })) {
      End(Error(Code::kClosed, "The engine was closed.",
                {.hint = "The generation goes on when the data directory is opened again."}));
    }
  }

  void LookNow() {
    while (true) {
      {
        std::lock_guard lock(mutex);
        if (ended) return;
        if (!again) {
          looking = false;
          return;
        }
        again = false;
      }
      Delivery event;
      bool closed = false;
      while (true) {
        Subscription::Next next = subscription->Pull(&event);
        if (next == Subscription::Next::kEnd) closed = true;
        if (next != Subscription::Next::kEvent) break;
      }
      GenerationStatus status = GenerationStatus::kPending;
      auto read = pipeline->parts().store->Read([&](const Snapshot& snapshot) -> Status {
        auto parsed = Id::Parse(id);
        if (!parsed.ok()) return parsed.status();
        ASSIGN_OR_RETURN(auto row, snapshot.records().FindGeneration(*parsed));
        if (!row) return Error(Code::kNotFound, fmt::format("There is no generation {} any more.", id));
        status = row->status;
        return OkStatus();
      });
      if (!read.ok()) return End(read);
      if (IsResting(status)) return End(pipeline->Get(viewer, id, mount));
      if (closed)
        return End(Error(Code::kClosed, "The engine was closed.",
                         {.hint = "The generation goes on when the data directory is opened again."}));
    }
  }

  void End(StatusOr<BufferRef> result) {
    RecordDone call;
    {
      std::lock_guard lock(mutex);
      if (ended) return;
      ended = true;
      call = std::move(done);
    }
    subscription->Close();
    if (call) call(std::move(result));
  }

  void GiveUp() {
    {
      std::lock_guard lock(mutex);
      ended = true;
      done = nullptr;
    }
    subscription->Close();
  }
};

}  // namespace

std::function<void()> Pipeline::Await(const Viewer& viewer, std::string_view id, std::string_view mount,
                                      RecordDone done) {
  auto waiting = std::make_shared<Waiting>();
  waiting->pipeline = this;
  waiting->viewer = viewer;
  waiting->mount = mount;
  waiting->done = std::move(done);
  Status found = parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(Generation generation, FindVisible(snapshot.records(), viewer, id));
    waiting->id = generation.id.text();
    return OkStatus();
  });
  if (!found.ok()) {
    waiting->done(found);
    return [] {};
  }
  auto subscription = parts_.hub->Subscribe({.viewer = {.all = true, .user = ""},
                                             .topics = {"generations"},
                                             .object = waiting->id,
                                             .after = std::nullopt});
  if (!subscription.ok()) {
    waiting->done(subscription.status());
    return [] {};
  }
  waiting->subscription = *subscription;
  waiting->subscription->OnReadable([weak = std::weak_ptr(waiting)] {
    if (auto self = weak.lock()) self->Look();
  });
  waiting->Look();  // it may have come to rest between the snapshot and the subscription
  return [waiting] { waiting->GiveUp(); };
}

}  // namespace mediagen
