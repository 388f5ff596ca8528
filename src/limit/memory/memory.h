// The limiter in this process's memory.
#pragma once

#include <memory>
#include <vector>

#include "base/id.h"
#include "limit/limiter.h"

namespace mediagen {

// Starts no thread. Memory is bounded by `max_keys`, a key being counted for each rule, at 16 bytes (20 to 32
// with the array's free places) and 4 * limit more (5 to 8) for a rule with an exact window. A full table
// forgets only keys whose limit is whole again, and refuses (kOverloaded) when there is none. From 65,536
// keys on the table is in sixteen parts with a lock and a sixteenth of the keys each, any of which may be
// full first. kInvalid: a bad rule (CheckLimitRule), two of one name, max_keys 0. `clock` must outlive the
// limiter; `random` seeds the hash of keys, once (null: SystemRandom()). Keys are told apart by 64 bits of
// that hash.
StatusOr<std::unique_ptr<Limiter>> NewMemoryLimiter(Clock* clock, std::vector<LimitRule> rules,
                                                    size_t max_keys = 1 << 20, Random* random = nullptr);

}  // namespace mediagen
