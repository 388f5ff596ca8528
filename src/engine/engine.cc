#include "engine/engine.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "api/documents.h"
#include "api/previews.h"
#include "api/problem.h"
#include "base/fork.h"
#include "engine/pump.h"
#include "engine/wiring.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kTidyEveryMs = 30'000;
constexpr int64_t kPaidAnswerMs =
    15'000;  // how long past its grace a close waits for the answer to a request that is being paid for

Status Closed() {
  return Error(Code::kClosed, "The engine is closed.",
               {.hint = "Open the data directory again; nothing accepted is lost."});
}

StatusOr<Viewer> ViewerOf(std::string_view principal_json) {
  ASSIGN_OR_RETURN(Principal principal, ParsePrincipal(principal_json));
  return ViewerOf(principal);
}

class EngineImpl final : public Engine {
 public:
  explicit EngineImpl(std::unique_ptr<Components> components) : c_(std::move(components)) {}

  ~EngineImpl() override {
    if (guard_.forked()) {
      Abandon();
      return;
    }
    if (closer_.joinable()) {
      std::this_thread::get_id() == closer_id_ ? closer_.Detach() : closer_.Join();
    }
    closed_ = true;
    if (c_) Unwire(*c_);
  }

  void Start() { Tidy(); }

  void Submit(std::string_view request_json, Reply reply) override {
    if (closed_) return reply(Closed());
    auto request = ParseGenerationRequest(request_json, std::nullopt, std::nullopt);
    if (!request.ok()) return reply(request.status());
    c_->pipeline->Submit(*request, "", std::move(reply));
  }

  void Cancel(std::string_view principal, std::string_view id, Reply reply) override {
    Decide(&Pipeline::Cancel, principal, id, std::move(reply));
  }
  void Retry(std::string_view principal, std::string_view id, Reply reply) override {
    Decide(&Pipeline::Retry, principal, id, std::move(reply));
  }
  void AbandonUnknown(std::string_view principal, std::string_view id, Reply reply) override {
    Decide(&Pipeline::Abandon, principal, id, std::move(reply));
  }

  Unsubscribe Await(std::string_view principal, std::string_view id, Reply reply) override {
    auto viewer = ViewerOf(principal);
    Status refused = closed_ ? Closed() : viewer.status();
    if (!refused.ok()) {
      reply(refused);
      return [] {};
    }
    return c_->pipeline->Await(*viewer, id, "", std::move(reply));
  }

  Task Get(std::string_view principal, std::string_view resource, std::string_view id, Reply reply) override {
    return OnExecutor(principal, std::move(reply),
                      [this, resource = std::string(resource), id = std::string(id)](const Principal& who) {
                        return GetDocument(*c_->pipeline, who, resource, id, "");
                      });
  }

  Task List(std::string_view principal, std::string_view resource, std::string_view query,
            Reply reply) override {
    return OnExecutor(
        principal, std::move(reply),
        [this, resource = std::string(resource), query = std::string(query)](const Principal& who) {
          return ListDocument(*c_->pipeline, who, resource, query, "", c_->secret);
        });
  }

  void Publish(std::string_view topic, std::string_view user, std::string_view data, Reply reply) override {
    if (closed_) return reply(Closed());
    auto event = HostEvent(topic, user, data, c_->clock->WallMs());
    if (!event.ok()) return reply(event.status());
    auto sequence = std::make_shared<int64_t>(0);
    c_->store->CommitAsync(
        [event = *event, sequence](Transaction& transaction) -> Status {
          ASSIGN_OR_RETURN(*sequence, transaction.events().Append(event));
          return OkStatus();
        },
        [this, sequence, reply = std::move(reply)](Status committed) {
          if (!committed.ok()) return reply(committed);
          reply(BufferRef::Own(fmt::format(R"({{"id":"{}"}})", EventId(c_->store->epoch(), *sequence))));
        });
  }

  void Upload(std::string_view principal, std::string_view metadata_json, std::string_view bytes,
              Reply reply) override {
    if (closed_) return reply(Closed());
    auto who = ParsePrincipal(principal);
    if (!who.ok()) return reply(who.status());
    auto upload = ParseUpload(metadata_json, who->host ? std::nullopt : std::optional(who->user));
    if (!upload.ok()) return reply(upload.status());
    if (bytes.size() > MaxBodyBytes()) {
      return reply(
          Error(Code::kTooLarge,
                fmt::format("The upload has {} bytes; at most {} are taken.", bytes.size(), MaxBodyBytes()),
                {.hint = "Raise \"media.maxUploadBytes\"."}));
    }
    Task run = [self = std::static_pointer_cast<EngineImpl>(shared_from_this()), upload = *upload,
                kept = BufferRef::Copy(bytes), reply] {
      self->c_->pipeline->Upload(upload, kept, "", [reply](StatusOr<Uploaded> uploaded) {
        uploaded.ok() ? reply(std::move(uploaded->record)) : reply(uploaded.status());
      });
    };
    if (!c_->executor->Post(std::move(run))) reply(Closed());
  }

  StatusOr<Unsubscribe> Subscribe(std::string_view principal, std::string_view filter,
                                  std::function<void(BufferRef)> deliver,
                                  std::function<void(Status)> ended) override {
    if (closed_) return Closed();
    ASSIGN_OR_RETURN(Viewer viewer, ViewerOf(principal));
    bool previews = false;
    ASSIGN_OR_RETURN(SubscriptionOptions options, ParseSubscription(filter, viewer, &previews));
    ASSIGN_OR_RETURN(auto subscription, c_->hub->Subscribe(options));
    if (previews) {
      deliver = [deliver = std::move(deliver)](BufferRef document) {
        deliver(BufferRef::Own(WithPreviews(document.view())));
      };
    }
    return PumpInto(std::move(subscription), c_->executor.get(), std::move(deliver), std::move(ended));
  }

  void Handle(std::string_view method, std::string_view target, std::string_view headers,
              std::string_view principal, std::string_view mount, BufferRef body,
              ResponseDone done) override {
    auto request =
        closed_ ? StatusOr<ApiRequest>(Closed()) : ParseRequest(method, target, headers, principal, mount);
    if (!request.ok()) return done(UnreadableResponse(method, request.status()));
    request->body = std::move(body);
    c_->router->Handle(std::move(*request), std::move(done));
  }

  StatusOr<std::string> SignUrl(std::string_view method, std::string_view target, std::string_view mount,
                                int64_t ttl_ms) override {
    if (closed_) return Closed();
    return c_->router->SignUrl(method, target, mount, ttl_ms);
  }

  uint64_t MaxBodyBytes() const override { return static_cast<uint64_t>(c_->config.max_upload_bytes); }

  void Close(int64_t grace_ms, std::function<void(Status)> done) override {
    if (closed_.exchange(true)) return done(OkStatus());
    c_->queues->StopClaiming();
    if (!c_->threaded()) {
      Drain(grace_ms);
      Unwire(*c_);
      return done(OkStatus());
    }
    std::lock_guard lock(closer_mutex_);
    closer_ = Thread("mediagen-close",
                     [this, self = shared_from_this(), grace_ms, done = std::move(done)]() mutable {
                       closer_id_ = std::this_thread::get_id();
                       Drain(grace_ms);
                       Unwire(*c_);
                       done(OkStatus());
                       done = nullptr;
                       self.reset();
                     });
  }

  bool closed() const override { return closed_; }
  bool threaded() const override { return c_->threaded(); }

  Status Run(int64_t budget_ms, int64_t* next_due_ms) override {
    if (c_->threaded()) {
      return Error(Code::kUnsupported, "This engine has threads of its own.",
                   {.hint = "mediagen_run is for \"workers\": \"manual\"."});
    }
    if (closed_) return Closed();
    const int64_t end = c_->clock->MonotonicMs() + std::max<int64_t>(budget_ms, 0);
    while (true) {
      if (DriveOnce(*c_)) {
        if (c_->clock->MonotonicMs() >= end) break;
        continue;
      }
      const int64_t now = c_->clock->MonotonicMs();
      const int64_t due = NextDue(*c_);
      const bool io = c_->http->active() > 0;
      if (now >= end || (!io && due > end)) break;
      c_->http->Poll(std::min(end, due) - now);
    }
    if (next_due_ms != nullptr) {
      const int64_t due = c_->http->active() > 0 ? 0 : NextDue(*c_);
      *next_due_ms = due == INT64_MAX ? -1 : std::max<int64_t>(0, due - c_->clock->MonotonicMs());
    }
    return OkStatus();
  }

  bool Drive(int64_t ms) override {
    if (closed_) return false;
    if (!DriveOnce(*c_)) {
      const int64_t now = c_->clock->MonotonicMs();
      c_->http->Poll(std::clamp<int64_t>(NextDue(*c_) - now, 0, ms));
    }
    return true;
  }

  Backend backend() override {
    Backend backend;
    backend.owner = shared_from_this();
    backend.store = c_->store.get();
    backend.queues = c_->queues.get();
    backend.blobs = c_->blobs.get();
    backend.executor = c_->executor.get();
    backend.ids = c_->ids.get();
    backend.clock = c_->clock;
    backend.threaded = c_->threaded();
    if (!backend.threaded) {
      backend.drive = [self = shared_from_this()](int64_t ms) { return self->Drive(ms); };
    }
    return backend;
  }

  void Abandon() override {
    if (!c_) return;
    c_->store->Abandon();
    c_->queues->Abandon();
    closer_.Abandon();
    (void)c_.release();  // nothing in it may be touched: its threads and mutexes are the parent's
  }

 private:
  using Decision = void (Pipeline::*)(const Viewer&, std::string_view, std::string_view, RecordDone);
  void Decide(Decision decision, std::string_view principal, std::string_view id, Reply reply) {
    if (closed_) return reply(Closed());
    auto viewer = ViewerOf(principal);
    if (!viewer.ok()) return reply(viewer.status());
    (c_->pipeline.get()->*decision)(*viewer, id, "", std::move(reply));
  }

  using Ask = std::function<StatusOr<std::string>(const Principal&)>;

  Task OnExecutor(std::string_view principal, Reply reply, Ask ask) {
    auto refuse = [&](const Status& status) -> Task {
      reply(status);
      return nullptr;
    };
    if (closed_) return refuse(Closed());
    auto who = ParsePrincipal(principal);
    if (!who.ok()) return refuse(who.status());
    struct Read {
      std::shared_ptr<EngineImpl> engine;
      Principal who;
      Reply reply;
      Ask ask;
      std::atomic<bool> begun{false};
    };
    auto read = std::make_shared<Read>();
    read->engine = std::static_pointer_cast<EngineImpl>(shared_from_this());
    read->who = *std::move(who);
    read->reply = std::move(reply);
    read->ask = std::move(ask);
    Task run = [read] {
      if (read->begun.exchange(true)) return;
      auto document = read->ask(read->who);
      if (!document.ok()) return read->reply(document.status());
      read->reply(BufferRef::Own(std::move(*document)));
    };
    if (c_->executor->Post(run)) return run;
    read->reply(Closed());
    return nullptr;
  }

  // Lets what is held here come to an end, at most grace_ms; a request that is being paid for gets its time
  // in any case.
  void Drain(int64_t grace_ms) {
    const int64_t start = c_->clock->MonotonicMs();
    auto waited = [&] { return c_->clock->MonotonicMs() - start; };
    while ((c_->queues->held() > 0 && waited() < grace_ms) ||
           (c_->pipeline->sending() > 0 && waited() < std::max(grace_ms, kPaidAnswerMs))) {
      if (c_->threaded()) {
        std::unique_lock lock(closer_mutex_);
        drained_.wait_for(lock, std::chrono::milliseconds(20));
      } else if (!DriveOnce(*c_)) {
        c_->http->Poll(10);
      }
    }
  }

  // Sweeps, prunes, promotes: what has to be done now and then.
  void Tidy() {
    if (closed_) return;
    c_->executor->PostAt(c_->clock->MonotonicMs() + kTidyEveryMs, [weak = weak_from_this()] {
      auto self = std::static_pointer_cast<EngineImpl>(weak.lock());
      if (!self || self->closed_) return;
      for (const Status& status : {self->c_->pipeline->Sweep(), self->c_->hub->Prune()}) {
        if (!status.ok())
          self->c_->log->Write(LogLevel::kWarning, "engine", "a sweep did not finish",
                               {{"error", InfoOf(status).message}});
      }
      self->c_->cache->Sweep();
      self->Tidy();
    });
  }

  ForkGuard guard_;
  std::unique_ptr<Components> c_;
  std::atomic<bool> closed_{false};
  std::mutex closer_mutex_;
  std::condition_variable drained_;
  Thread closer_;
  std::thread::id closer_id_;
};

}  // namespace

StatusOr<std::shared_ptr<Engine>> Engine::Open(std::string_view config_json,
                                               const EngineEnvironment& environment) {
  ASSIGN_OR_RETURN(Config config, ParseConfig(config_json, ProcessEnvironment()));
  ASSIGN_OR_RETURN(auto components, Wire(std::move(config), environment, Extent::kEngine));
  auto engine = std::make_shared<EngineImpl>(std::move(components));
  engine->Start();
  return std::shared_ptr<Engine>(std::move(engine));
}

}  // namespace mediagen
