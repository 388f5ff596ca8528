// Reading what a request of fal's made.
//
// Thread-safe: pure functions. Nothing of the document is trusted.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "provider/provider.h"

namespace mediagen::fal {

// The output that a file object or a URL stands for, by the adapter's rules; nullopt for none.
using MakeOutput = std::function<std::optional<RemoteOutput>(std::string_view url, std::string_view type)>;

// The pictures and videos of a complete result, at most 64, with the seed and the safety of each: a picture
// that was flagged comes all the same (black, as a rule). A result without any is kFailed and charged; one
// that turns out to be a state of the queue is pending.
PollAnswer ReadResult(const Json& result, const MakeOutput& make, const HttpResponse& response,
                      std::string_view secret);

}  // namespace mediagen::fal
