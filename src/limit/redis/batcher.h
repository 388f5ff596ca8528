// Batcher: sends steps to Redis, those together that come while others are under way.
//
// Thread-safe. At most kMostBatches script calls are under way; what comes meanwhile waits for the first of
// them to be answered. Every step is answered exactly once, its time limit at the latest.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/fork.h"
#include "limit/redis/script.h"
#include "redis/client.h"

namespace mediagen::limit {

// One step on its way.
struct Question {
  struct Part {
    uint32_t rule = 0;
    std::string key;      // as the caller named it; empty for what comes from a lease
    std::string name;     // of the key in Redis
    ScriptCharge charge;  // but for its key
  };
  Verb verb = Verb::kCheck;
  std::vector<Part> parts;
  uint64_t lease = 0;        // of kGiveBack
  std::string settled_name;  // of kGiveBack
  int64_t deadline_ms = 0;
  // The script's numbers for this step, or why there are none. On the client's thread, or from within Ask.
  std::function<void(const Question&, StatusOr<std::span<const int64_t>>)> done;
};

class Batcher {
 public:
  // `decide_by` may be null: the server's time.
  Batcher(RedisClient* client, RedisScript script, Clock* clock, Clock* decide_by, int64_t timeout_ms)
      : client_(client),
        script_(std::move(script)),
        clock_(clock),
        decide_by_(decide_by),
        timeout_ms_(timeout_ms) {}

  void Ask(Question question);

 private:
  using Batch = std::vector<Question>;

  void Pump();
  // What shall be sent now; empty when nothing is or may be. Lock held.
  Batch TakeBatch(int64_t now_ms, Batch* late);
  void Send(Batch batch, int64_t now_ms);
  void OnReply(const Batch& batch, StatusOr<RedisReply> reply);
  static void Tell(const Batch& batch, StatusOr<RedisReply> reply);

  RedisClient* const client_;
  const RedisScript script_;
  Clock* const clock_;
  Clock* const decide_by_;
  const int64_t timeout_ms_;
  const ForkGuard fork_guard_;

  std::mutex mutex_;  // guards what follows
  std::deque<Question> waiting_;
  int under_way_ = 0;
  size_t newest_ = 0;     // how many questions the latest batch had
  bool pumping_ = false;  // by some thread, which looks again before it ends
};

}  // namespace mediagen::limit
