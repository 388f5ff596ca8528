#include "redis/client.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <vector>

#include "base/executor.h"
#include "base/fork.h"
#include "base/wakeup.h"
#include "fmt/format.h"
#include "redis/lane.h"

namespace mediagen {
namespace {

using redis::Lane;
using redis::LaneSetup;
using redis::Request;

constexpr int64_t kIdlePollMs = 60'000;

// Wakes the loop: one byte for all the commands that come before it looks.
class Bell {
 public:
  explicit Bell(std::unique_ptr<WakeupPipe> pipe) : pipe_(std::move(pipe)) {}
  void Ring() {
    if (!rung_.exchange(true)) pipe_->Wake();
  }
  // When fd() is readable, and before looking for what it was rung for.
  void Quiet() {
    pipe_->Drain();
    rung_.store(false);
  }
  int fd() const { return pipe_->fd(); }

 private:
  const std::unique_ptr<WakeupPipe> pipe_;
  std::atomic<bool> rung_{false};
};

// The loop that this thread is turning, if any: it looks for new commands before it waits again.
thread_local const void* turning = nullptr;

// Everything but the handle: what a forked child must leave alone.
struct Loop {
  Loop(Clock* clock, const RedisUrl& url, RedisClientOptions options, std::unique_ptr<WakeupPipe> pipe)
      : bell(std::make_shared<Bell>(std::move(pipe))),
        gate(options.max_commands, options.max_bytes),
        setup{clock,
              options.random != nullptr ? options.random : SystemRandom(),
              options.log,
              url,
              std::move(options),
              [bell = bell] { bell->Ring(); },
              &gate} {
    if (!clock->real()) clock->OnAdvance([bell = bell] { bell->Ring(); });
  }

  bool Turn(int64_t wait_ms);
  bool TakeIncoming();
  int PollMs(int64_t wait_ms, int64_t now_ms) const;
  bool stopping() {
    std::lock_guard lock(mutex);
    return is_stopping;
  }
  void Run() {
    while (!stopping()) Turn(kIdlePollMs);
    EndAll();
  }
  void EndAll();

  const std::shared_ptr<Bell> bell;
  redis::Gate gate;
  const LaneSetup setup;
  Lane main{setup, false}, blocking{setup, true};  // only the driving thread

  std::mutex mutex;  // guards the two below, and the beginning of the thread
  std::vector<Request> incoming;
  bool is_stopping = false;

  std::mutex drive_mutex;  // held by whoever drives the loop; only when there is no thread
  std::mutex join_mutex;
  std::optional<Thread> thread;  // last: it uses all of the above
};

bool Loop::TakeIncoming() {
  std::vector<Request> taken;
  {
    std::lock_guard lock(mutex);
    taken.swap(incoming);
  }
  for (Request& request : taken) (request.blocking ? blocking : main).Add(std::move(request));
  return !taken.empty();
}

// Against a fake clock only Advance ends a wait for a time.
int Loop::PollMs(int64_t wait_ms, int64_t now_ms) const {
  if (setup.clock->real()) {
    const int64_t next_ms = std::min(main.next_ms(), blocking.next_ms());
    if (next_ms != INT64_MAX) wait_ms = std::min(wait_ms, next_ms - now_ms);
  }
  return static_cast<int>(std::clamp<int64_t>(wait_ms, 0, kIdlePollMs));
}

// One round: send what came, wait, receive. True when anything happened.
bool Loop::Turn(int64_t wait_ms) {
  turning = this;
  bool happened = TakeIncoming();
  int64_t now_ms = setup.clock->MonotonicMs();
  happened = main.Drive(0, now_ms) || happened;
  happened = blocking.Drive(0, now_ms) || happened;
  if (happened) wait_ms = setup.options.threaded ? wait_ms : 0;
  pollfd fds[3] = {
      {bell->fd(), POLLIN, 0}, {main.fd(), main.events(), 0}, {blocking.fd(), blocking.events(), 0}};
  poll(fds, 3, PollMs(wait_ms, now_ms));
  if (fds[0].revents != 0) bell->Quiet();
  now_ms = setup.clock->MonotonicMs();
  if (fds[1].revents != 0) happened = main.Drive(fds[1].revents, now_ms) || happened;
  if (fds[2].revents != 0) happened = blocking.Drive(fds[2].revents, now_ms) || happened;
  turning = nullptr;
  return happened;
}

void Loop::EndAll() {
  const Status canceled = Error(Code::kCanceled, "The Redis client is stopped.");
  TakeIncoming();
  main.Close(canceled);
  blocking.Close(canceled);
}

class PipelinedRedisClient final : public RedisClient {
 public:
  explicit PipelinedRedisClient(std::unique_ptr<Loop> loop)
      : loop_(std::move(loop)), where_(loop_->setup.url.Where()) {}

  ~PipelinedRedisClient() override {
    if (fork_guard_.forked()) {
      // The thread is not here and the connection is the parent's: nothing is joined, closed or answered.
      (void)loop_.release();
      return;
    }
    Stop();
  }

  using RedisClient::Command;
  void Command(std::span<const std::string_view> arguments, RedisDone done,
               const RedisCommandOptions& options) override {
    Request request;
    request.bytes = redis::CommandBytes(arguments);
    Enter(std::move(request), std::move(done), options);
  }

  void Eval(const RedisScript& script, std::span<const std::string_view> keys,
            std::span<const std::string_view> arguments, RedisDone done,
            const RedisCommandOptions& options) override {
    Request request;
    request.script = script;
    request.arguments = 3 + keys.size() + arguments.size();
    redis::AppendHead(&request.bytes, request.arguments);
    redis::AppendArgument(&request.bytes, "EVALSHA");
    redis::AppendArgument(&request.bytes, script.sha1());
    request.tail = request.bytes.size();
    redis::AppendArgument(&request.bytes, fmt::format_int(keys.size()).c_str());
    for (std::string_view key : keys) redis::AppendArgument(&request.bytes, key);
    for (std::string_view argument : arguments) redis::AppendArgument(&request.bytes, argument);
    Enter(std::move(request), std::move(done), options);
  }

  bool Poll(int64_t wait_ms) override {
    if (fork_guard_.forked() || threaded()) return false;
    std::lock_guard driving(loop_->drive_mutex);
    return !loop_->stopping() && loop_->Turn(wait_ms);
  }
  void Wake() override {
    if (!fork_guard_.forked()) loop_->bell->Ring();
  }
  bool threaded() const override { return loop_->setup.options.threaded; }
  bool up() const override { return !fork_guard_.forked() && loop_->gate.up(); }
  size_t active() const override { return loop_->gate.commands(); }
  const std::string& where() const override { return where_; }

  void Stop() override {
    if (fork_guard_.forked()) return;
    bool running;
    {
      std::lock_guard lock(loop_->mutex);
      loop_->is_stopping = true;
      running = loop_->thread.has_value();
    }
    loop_->bell->Ring();
    std::lock_guard joining(loop_->join_mutex);
    if (running) {
      loop_->thread->Join();
    } else {
      std::lock_guard driving(loop_->drive_mutex);
      loop_->EndAll();
    }
  }

 private:
  // Why a command is refused at once, if it is; else it is counted.
  Status Admit(size_t bytes, bool is_blocking) {
    redis::Gate& gate = loop_->gate;
    if (gate.open() && !is_blocking) return gate.Refusal(loop_->setup.clock->MonotonicMs());
    if (gate.Enter(bytes)) return OkStatus();
    return Error(
        Code::kOverloaded, fmt::format("Too many commands for Redis at {} are under way.", where_),
        {.hint = "Redis, or the way to it, is slower than what is asked of it.", .retry_after_ms = 100});
  }

  void Enter(Request request, RedisDone done, const RedisCommandOptions& options) {
    if (fork_guard_.forked()) {
      return done(Error(Code::kForked,
                        "The Redis client was made before a fork and cannot be used in the child.",
                        {.hint = "Open a new one in the child process."}));
    }
    request.counted = request.bytes.size() + sizeof(Request);
    if (Status refused = Admit(request.counted, options.blocking); !refused.ok()) return done(refused);
    request.repeatable = options.repeatable;
    request.blocking = options.blocking;
    request.timeout_ms = options.timeout_ms > 0 ? options.timeout_ms : loop_->setup.options.timeout_ms;
    request.deadline_ms = loop_->setup.clock->MonotonicMs() + request.timeout_ms;
    request.done = std::move(done);
    const size_t counted = request.counted;
    if (Status taken = Take(request); !taken.ok()) {
      loop_->gate.Leave(counted);
      request.done(taken);
    } else if (turning != loop_.get()) {
      loop_->bell->Ring();
    }
  }

  Status Take(Request& request) {
    std::lock_guard lock(loop_->mutex);
    if (loop_->is_stopping) return Error(Code::kCanceled, "The Redis client is stopped.");
    if (threaded() && !loop_->thread) {
      try {
        loop_->thread.emplace("mediagen-redis", [loop = loop_.get()] { loop->Run(); });
      } catch (const std::system_error&) {
        return Error(Code::kOverloaded, "There is no thread for the Redis client.");
      }
    }
    loop_->incoming.push_back(std::move(request));
    return OkStatus();
  }

  std::unique_ptr<Loop> loop_;
  const std::string where_;
  ForkGuard fork_guard_;
};

}  // namespace

StatusOr<std::unique_ptr<RedisClient>> NewRedisClient(Clock* clock, const RedisUrl& url,
                                                      RedisClientOptions options) {
  RETURN_IF_ERROR(url.CheckAllTaken());
  if (options.timeout_ms < 1 || options.connect_timeout_ms < 1 || options.breaker_failures < 1)
    return Error(Code::kInvalid,
                 "The timeouts of a Redis client, and its breaker's failures, are 1 at least.");
  ASSIGN_OR_RETURN(auto pipe, WakeupPipe::New());
  auto loop = std::make_unique<Loop>(clock, url, std::move(options), std::move(pipe));
  return std::unique_ptr<RedisClient>(std::make_unique<PipelinedRedisClient>(std::move(loop)));
}

StatusOr<RedisReply> RedisCall(RedisClient& client, std::span<const std::string_view> arguments,
                               const RedisCommandOptions& options) {
  struct Answer {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<StatusOr<RedisReply>> reply;
  };
  auto answer = std::make_shared<Answer>();
  client.Command(
      arguments,
      [answer](StatusOr<RedisReply> reply) {
        std::lock_guard lock(answer->mutex);
        answer->reply = std::move(reply);
        answer->came.notify_one();
      },
      options);
  std::unique_lock lock(answer->mutex);
  while (!answer->reply) {
    if (client.threaded()) {
      answer->came.wait(lock);
    } else {
      lock.unlock();
      client.Poll(10);
      lock.lock();
    }
  }
  return std::move(*answer->reply);
}

}  // namespace mediagen
