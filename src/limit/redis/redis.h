// The limiter whose keys are in a Redis, shared by all processes that name the same one and the same prefix.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/log.h"
#include "limit/limiter.h"

namespace mediagen {

struct RedisLimiterOptions {
  bool threaded = true;  // false: no thread; who asks drives the connection until it is answered
  LogSink* log = nullptr;
  Random* random = nullptr;         // of ids and backoffs; null: SystemRandom()
  size_t max_local_keys = 1 << 20;  // of onFailure=local
  // For tests: decisions are made by this clock's monotonic time instead of the server's.
  Clock* decide_by = nullptr;
};

// `url` as redis/url.h has it, with
//
//   onFailure=open|closed|local
//     What is decided when Redis is away, does not answer in time, or refuses: allow (and say so:
//     LimitDecision::degraded); kUnavailable; or let a limiter in this process's memory decide by the same
//     rules, from nothing, until Redis is back. To be said.
//   timeoutMs=100
//     From a check to its answer, 1 to 60,000.
//   prefix=mediagen
//     Of all keys, 1 to 64 characters without braces.
//   exactUpTo=32
//     Up to this limit (at most 1,000) never more than N come in any window: GCRA allows up to twice as many
//     in the first. Up to 32 the moments stand in one string of 4 N + 8 bytes; above it in a sorted set, some
//     100 bytes a unit, which is why it is asked for. The limiter in memory is exact up to 32 whatever this
//     says.
//
// Redis 5 or later, its server time; a clock there that goes back keeps what is limited limited until it has
// caught up. Every key has one hash tag, {prefix}, so in a cluster all of a limiter's keys are on one node: a
// step's keys must share a slot to be decided at once, and which ones stand together in a step (a user, an
// address, a route, a provider) is known only then. Who needs several nodes gives several limiters several
// prefixes. Keys of more than 64 bytes are hashed (128 bits of SHA-256).
//
// Answers come on the connection's thread, which must not be kept waiting: least of all by a Check without
// Async. A check that ends by its timeout may have been charged. Checks that come while earlier ones are
// under way are decided together, by one script call. As long as the breaker of the client is open
// (redis/client.h), a check costs no waiting. Refund and RefundLease end with the error itself whatever
// onFailure says, except for what was taken from the limiter in memory. Starts no thread and connects to
// nothing before the first check. `clock` and what the options name must outlive the limiter. kInvalid: the
// URL, the rules.
StatusOr<std::unique_ptr<Limiter>> NewRedisLimiter(Clock* clock, std::string_view url,
                                                   std::vector<LimitRule> rules,
                                                   const RedisLimiterOptions& options = {});

}  // namespace mediagen
