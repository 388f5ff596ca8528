// FakeEngine: an engine that answers as the test says, behind the very functions that the real one stands
// behind. What it is asked decides the answer: "now" at once, "fail" with an error, "throw" with an
// exception, anything else when the test lets it.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace mediagen::testing {

// A stream that the test feeds.
class FakeStream final : public BodyStream {
 public:
  Pull Next(BufferRef* piece) override;
  void OnReadable(std::function<void()> readable) override;
  void Close() override;

  void Feed(std::string piece);
  void End();
  bool closed();

 private:
  std::mutex mutex_;
  std::deque<std::string> pieces_;
  std::function<void()> readable_;
  bool ended_ = false, closed_ = false, starved_ = false;
};

class FakeEngine final : public Engine {
 public:
  // The one that was opened last.
  static std::shared_ptr<FakeEngine> Last();

  explicit FakeEngine(bool threaded) : threaded_(threaded) {}

  // Replies to everything that is held back; how many there were.
  int ReplyToAll();
  int AnswerAll();  // held requests
  void Deliver(std::string event);
  void EndSubscriptions(Status status);
  int awaits_given_up() const { return given_up_; }
  std::shared_ptr<FakeStream> stream() {
    std::lock_guard lock(mutex_);
    return stream_;
  }
  std::string last_headers() {
    std::lock_guard lock(mutex_);
    return headers_;
  }

  void Submit(std::string_view request_json, Reply reply) override { Do(request_json, std::move(reply)); }
  void Cancel(std::string_view, std::string_view id, Reply reply) override { Do(id, std::move(reply)); }
  void Retry(std::string_view, std::string_view id, Reply reply) override { Do(id, std::move(reply)); }
  void AbandonUnknown(std::string_view, std::string_view id, Reply reply) override {
    Do(id, std::move(reply));
  }
  Unsubscribe Await(std::string_view principal, std::string_view id, Reply reply) override;
  Task Get(std::string_view, std::string_view, std::string_view id, Reply reply) override {
    Do(id, std::move(reply));
    return nullptr;
  }
  Task List(std::string_view, std::string_view, std::string_view query, Reply reply) override {
    Do(query, std::move(reply));
    return nullptr;
  }
  void Publish(std::string_view topic, std::string_view, std::string_view, Reply reply) override {
    Do(topic, std::move(reply));
  }
  void Upload(std::string_view, std::string_view metadata, std::string_view, Reply reply) override {
    Do(metadata, std::move(reply));
  }
  StatusOr<Unsubscribe> Subscribe(std::string_view principal, std::string_view filter,
                                  std::function<void(BufferRef)> deliver,
                                  std::function<void(Status)> ended) override;
  void Handle(std::string_view method, std::string_view target, std::string_view headers,
              std::string_view principal, std::string_view mount, BufferRef body, ResponseDone done) override;
  StatusOr<std::string> SignUrl(std::string_view method, std::string_view target, std::string_view,
                                int64_t ttl_ms) override {
    if (ttl_ms < 1) return Error(Code::kInvalid, "no time");
    return std::string(method) + " " + std::string(target) + " " + std::to_string(ttl_ms);
  }
  uint64_t MaxBodyBytes() const override { return 1 << 20; }
  void Close(int64_t grace_ms, std::function<void(Status)> done) override;
  bool closed() const override { return closed_; }
  Status Run(int64_t budget_ms, int64_t* next_due_ms) override;
  bool threaded() const override { return threaded_; }
  bool Drive(int64_t ms) override;
  Backend backend() override;
  void Abandon() override {}

 private:
  void Do(std::string_view what, Reply reply);

  struct Subscriber {
    int number;
    std::function<void(BufferRef)> deliver;
    std::function<void(Status)> ended;
  };
  const bool threaded_;
  std::atomic<bool> closed_{false};
  std::atomic<int> given_up_{0};
  std::mutex mutex_;
  std::deque<Reply> held_;
  std::deque<std::function<void()>> answers_;
  std::vector<Subscriber> subscribers_;
  int next_number_ = 1;
  std::shared_ptr<FakeStream> stream_;
  std::string headers_;
};

// The clock of every cache that is opened.
FakeClock& CacheClock();

}  // namespace mediagen::testing
