#include "capi/fake_engine.h"

#include <fcntl.h>

#include <new>
#include <stdexcept>
#include <utility>

#include "cache/memory/memory.h"
#include "capi/alone.h"
#include "limit/memory/memory.h"

namespace mediagen {
namespace testing {
namespace {

std::weak_ptr<FakeEngine>& LastOpened() {
  static std::weak_ptr<FakeEngine> last;
  return last;
}

Status Closed() { return Error(Code::kClosed, "The engine is closed."); }

}  // namespace

BodyStream::Pull FakeStream::Next(BufferRef* piece) {
  std::lock_guard lock(mutex_);
  if (!pieces_.empty()) {
    *piece = BufferRef::Own(std::move(pieces_.front()));
    pieces_.pop_front();
    return Pull::kData;
  }
  starved_ = !ended_;
  return ended_ ? Pull::kEnd : Pull::kEmpty;
}

void FakeStream::OnReadable(std::function<void()> readable) {
  std::lock_guard lock(mutex_);
  readable_ = std::move(readable);
}

void FakeStream::Close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
}

bool FakeStream::closed() {
  std::lock_guard lock(mutex_);
  return closed_;
}

void FakeStream::Feed(std::string piece) {
  std::lock_guard lock(mutex_);
  pieces_.push_back(std::move(piece));
  if (std::exchange(starved_, false)) readable_();
}

void FakeStream::End() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  if (std::exchange(starved_, false)) readable_();
}

std::shared_ptr<FakeEngine> FakeEngine::Last() { return LastOpened().lock(); }

void FakeEngine::Do(std::string_view what, Reply reply) {
  if (closed_) return reply(Closed());
  if (what == "now") return reply(BufferRef::Copy(R"({"id":"now"})"));
  if (what == "nothing") return reply(BufferRef());
  if (what == "fail")
    return reply(
        Error(Code::kRateLimited, "5 a minute are allowed.", {.hint = "Wait.", .retry_after_ms = 12000}));
  if (what == "foreign") return reply(absl::UnknownError("not ours"));
  if (what == "throw") throw std::runtime_error("thrown by the engine");
  if (what == "memory") throw std::bad_alloc();
  if (what == "strange") throw 7;
  std::lock_guard lock(mutex_);
  held_.push_back(std::move(reply));
}

int FakeEngine::ReplyToAll() {
  std::deque<Reply> held;
  {
    std::lock_guard lock(mutex_);
    held.swap(held_);
  }
  for (Reply& reply : held) reply(BufferRef::Copy(R"({"id":"later"})"));
  return static_cast<int>(held.size());
}

int FakeEngine::AnswerAll() {
  std::deque<std::function<void()>> answers;
  {
    std::lock_guard lock(mutex_);
    answers.swap(answers_);
  }
  for (auto& answer : answers) answer();
  return static_cast<int>(answers.size());
}

Unsubscribe FakeEngine::Await(std::string_view, std::string_view id, Reply reply) {
  Do(id, std::move(reply));
  return [this] { ++given_up_; };
}

StatusOr<Unsubscribe> FakeEngine::Subscribe(std::string_view, std::string_view filter,
                                            std::function<void(BufferRef)> deliver,
                                            std::function<void(Status)> ended) {
  if (closed_) return Closed();
  if (filter == "fail") return Error(Code::kInvalid, "The filter is wrong.");
  std::lock_guard lock(mutex_);
  int number = next_number_++;
  subscribers_.push_back({number, std::move(deliver), std::move(ended)});
  return Unsubscribe([this, number] {
    ++given_up_;
    std::lock_guard lock(mutex_);
    std::erase_if(subscribers_, [&](const Subscriber& s) { return s.number == number; });
  });
}

void FakeEngine::Deliver(std::string event) {
  std::vector<Subscriber> all;
  {
    std::lock_guard lock(mutex_);
    all = subscribers_;
  }
  for (Subscriber& s : all) s.deliver(BufferRef::Copy(event));
}

void FakeEngine::EndSubscriptions(Status status) {
  std::vector<Subscriber> all;
  {
    std::lock_guard lock(mutex_);
    all.swap(subscribers_);
  }
  for (Subscriber& s : all) s.ended(status);
}

void FakeEngine::Handle(std::string_view method, std::string_view target, std::string_view headers,
                        std::string_view, std::string_view, BufferRef body, ResponseDone done) {
  Response response;
  response.headers = {{"content-type", "text/plain"}};
  {
    std::lock_guard lock(mutex_);
    headers_ = std::string(headers);
  }
  if (body && body.size() > MaxBodyBytes()) {
    response.status = 413;
  } else if (target == "/stream") {
    auto stream = std::make_shared<FakeStream>();
    response.body = std::static_pointer_cast<BodyStream>(stream);
    std::lock_guard lock(mutex_);
    stream_ = std::move(stream);
  } else if (target == "/file") {
    Fd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    response.body = FileBody{std::move(file), 1, 3};
  } else if (method == "HEAD" || target == "/none") {
    response.status = 304;
  } else {
    BufferRef bytes = body ? body : BufferRef::Copy("hello");
    response.body = BytesBody{bytes, 0, bytes.size()};
  }
  if (target != "/later") return done(std::move(response));
  auto shared = std::make_shared<Response>(std::move(response));
  std::lock_guard lock(mutex_);
  answers_.push_back([done = std::move(done), shared] { done(std::move(*shared)); });
}

void FakeEngine::Close(int64_t, std::function<void(Status)> done) {
  closed_ = true;
  std::deque<Reply> held;
  {
    std::lock_guard lock(mutex_);
    held.swap(held_);
  }
  for (Reply& reply : held) reply(Closed());
  AnswerAll();
  EndSubscriptions(Closed());
  done(OkStatus());
}

Status FakeEngine::Run(int64_t, int64_t* next_due_ms) {
  if (closed_) return Closed();
  *next_due_ms = ReplyToAll() > 0 ? 0 : -1;
  return OkStatus();
}

bool FakeEngine::Drive(int64_t) {
  ReplyToAll();
  return !closed_;
}

Backend FakeEngine::backend() { return OpenAlone("{}").value(); }

FakeClock& CacheClock() {
  static FakeClock clock;
  return clock;
}

}  // namespace testing

StatusOr<std::shared_ptr<Engine>> Engine::Open(std::string_view config_json, const EngineEnvironment&) {
  if (config_json == "fail") return Error(Code::kInvalid, "The configuration has unknown fields: \"x\".");
  if (config_json == "throw") throw std::runtime_error("thrown by Open");
  auto engine = std::make_shared<testing::FakeEngine>(config_json != "manual");
  testing::LastOpened() = engine;
  return std::shared_ptr<Engine>(engine);
}

StatusOr<Backend> OpenStoreAlone(std::string_view config_json) { return testing::OpenAlone(config_json); }
StatusOr<Backend> OpenQueueAlone(std::string_view config_json) { return testing::OpenAlone(config_json); }

StatusOr<std::shared_ptr<Limiter>> OpenLimiterAlone(std::string_view) {
  return NewMemoryLimiter(&testing::CacheClock(), {{"minute", 3, 60'000}, {"hour", 100, 3'600'000}}, 4);
}

StatusOr<std::shared_ptr<Cache>> OpenCacheAlone(std::string_view config_json) {
  if (config_json == "fail") return Error(Code::kInvalid, "The configuration has unknown fields: \"x\".");
  ASSIGN_OR_RETURN(const MemoryCacheOptions options, ParseMemoryCacheOptions(config_json));
  return std::shared_ptr<Cache>(NewMemoryCache(&testing::CacheClock(), options));
}

}  // namespace mediagen
