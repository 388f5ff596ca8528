// Backplane: what other processes have invalidated, heard from Redis, and whether it is heard at this moment.
//
// It reads a stream by sequence number on the client's connection for commands that block, and asks once a
// heartbeat for the latest number. What it has heard is good for kLeaseMs after the asking: then, and as
// soon as a connection is lost, hearing() is false until all that was missed has been read. When that cannot
// be had (the stream was trimmed, Redis has lost its data, another run), the listener is to forget
// everything.
//
// Thread-safe. Does nothing before Start, and after that has always exactly one command under way, or is to
// be called by Tick. The listener is called by the thread that drives the client, under no lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/id.h"
#include "cache/redis/scripts.h"
#include "redis/client.h"

namespace mediagen::tiered {

constexpr int64_t kHeartbeatMs = 1'000;
constexpr int64_t kLeaseMs = 2'500;  // two heartbeats, and some time for the answer

class Backplane {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void Apply(Kind kind, std::string_view name) = 0;  // somebody else has invalidated this
    virtual void Forget() = 0;                                 // anything may have been invalidated
    // Redis is there, and may be told what is waiting: at once after a greeting, else with every heartbeat.
    virtual void Ready(bool at_once) = 0;
    virtual void Hearing(bool hearing) = 0;  // it changed
  };
  struct Setup {
    Clock* clock;
    Random* random;
    RedisClient* client;
    Listener* listener;
    const Names* names;
    int64_t life_ms;   // the longest life of a value and its load
    int64_t lease_ms;  // kLeaseMs
  };
  explicit Backplane(const Setup& setup);

  // One pairing with Redis: `number` is another one after every loss. Only what was asked and answered in
  // the same one is to be believed.
  struct Session {
    uint64_t number = 0;
    std::string run;  // empty before the first greeting
  };

  // Greets Redis, once; commands that follow on the client's first connection come after it.
  void Start();
  Session session() const;
  // Whether values may be asked for and stored.
  bool usable() const;
  // Whether all that was invalidated up to a lease ago has been applied.
  bool hearing(int64_t now_ms) const { return now_ms < heard_until_ms_.load(std::memory_order_acquire); }
  // The latest sequence number that was seen in any answer of its run: everything up to it was invalidated
  // before this moment.
  struct Moment {
    std::string run;
    uint64_t seq = 0;
    // Whether it says something in this run: that nothing was known yet does in any.
    bool holds(std::string_view now) const { return run.empty() || run == now; }
  };
  Moment known() const;
  // Any answer says run and number. False when it is not of this session: `number` is that of its question.
  bool Note(uint64_t session, std::string_view run, uint64_t seq);

  const std::string& origin() const { return origin_; }
  // A connection was lost.
  void Lost();
  // Tries again what could not even be asked.
  void Tick(int64_t now_ms);
  // The client is about to be stopped: nothing is asked any more.
  void Stop();

 private:
  enum class State { kIdle, kGreeting, kCatchingUp, kHearing, kStopped };

  void Greet(bool first);
  void OnGreeted(StatusOr<RedisReply> reply, uint64_t session, int64_t asked_ms);
  void Read();
  void OnRead(StatusOr<RedisReply> reply, uint64_t session);
  bool ApplyBatch(const RedisReply& entries);
  void Beat();
  void OnBeat(StatusOr<RedisReply> reply, uint64_t session, int64_t asked_ms);
  void Reached(uint64_t target, int64_t asked_ms);
  void Again(const Status& why);
  void SetHearing(int64_t until_ms);
  bool Stopped() const;

  const Setup setup_;
  const std::string origin_;  // of this process's own entries in the stream
  std::atomic<int64_t> heard_until_ms_{0};
  std::atomic<bool> hearing_{false}, started_{false};

  mutable std::mutex mutex_;
  State state_ = State::kIdle;
  Session session_;
  uint64_t known_ = 0;
  int64_t retry_ms_ = INT64_MAX;  // when Tick greets again
  // Of the thread that drives the client:
  uint64_t applied_ = 0;  // the last number that was read
  uint64_t target_ = 0;   // the number that Redis had at asked_ms_
  int64_t asked_ms_ = 0;
  bool lost_place_ = false;
};

}  // namespace mediagen::tiered
