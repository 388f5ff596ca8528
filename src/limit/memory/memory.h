// The limiter in this process's memory.
#pragma once

#include <memory>
#include <vector>

#include "base/id.h"
#include "limit/limiter.h"

namespace mediagen {

// Starts no thread. Memory is bounded by `max_keys`, a key being counted for each rule, and a refunded lease
// as a key: at 17 to 20 bytes each, and 4 * (limit - 1) more for a rule with an exact window (key_table.h). A
// full table forgets only keys whose limit is whole again, and refuses (kOverloaded, with the moment at which
// there is room) when there is none; what it knows it goes on deciding. From 65,536 keys on the table is in
// 64 parts with a lock and a share of the keys each, any of which may be full first. kInvalid: a bad rule
// (CheckLimitRule), two of one name, max_keys 0. `clock` must outlive the limiter; `random` seeds the hash of
// keys, once (null: SystemRandom()). Keys are told apart by at least 56 bits of that hash.
StatusOr<std::unique_ptr<Limiter>> NewMemoryLimiter(Clock* clock, std::vector<LimitRule> rules,
                                                    size_t max_keys = 1 << 20, Random* random = nullptr);

}  // namespace mediagen
