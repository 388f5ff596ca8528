// Reading Replicate's prediction object, in whatever state and however incomplete it comes.
//
// Thread-safe: pure functions. Fields may be missing, null, empty, or of another type; nothing here trusts
// one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provider/endpoint.h"
#include "provider/provider.h"

namespace mediagen::replicate {

// What the prediction says of its state.
//
// Billing: `aborted` never began and costs nothing. A failed or canceled prediction was charged when it ran:
// when `started_at` is set, or metrics.predict_time is above zero.
PollAnswer ReadPrediction(const Json& prediction, const Endpoint& endpoint, std::string_view secret);

// Its handle; nullopt without an id that may stand in a path. URLs that are no acceptable URLs are left out.
std::optional<RemoteHandle> ReadHandle(const Json& prediction, const Endpoint& endpoint);

// The pictures and videos in `output`: every URL and data URI in a string, an array or an object, in order,
// at most 64.
std::vector<RemoteOutput> ReadOutputs(const Json& output, const Endpoint& endpoint);

// From the last line of `logs` that is a progress bar, "45%|####    | 9/20 …". Two bars may follow each
// other, so the fraction may go back.
Progress ReadProgress(std::string_view logs);

// The number that models print as "Using seed: 1234".
std::optional<uint64_t> ReadSeed(std::string_view logs);

}  // namespace mediagen::replicate
