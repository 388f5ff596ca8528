// Reading what fal's queue says of a request: the answer to the submit, and its status afterwards.
//
// Thread-safe: pure functions. Fields may be missing, null, or of another type; nothing here trusts one.
#pragma once

#include <cstdint>
#include <string_view>

#include "provider/provider.h"

namespace mediagen::fal {

inline constexpr int64_t kPollMs = 500;  // what fal's JavaScript client uses

// The document of an answer to a submit. Of one that is cut short or broken further on: the strings of the
// outermost object that came whole, but for those whose name came twice with different values.
Json SubmitDocument(std::string_view body);

// The state, by a closed list: COMPLETED with an error is kFailed, without one kReady, a name that is not
// known is pending. Also reads the answers to a cancel, which are none of a state. `response` is where
// `status` was in; kTransient without a state.
PollAnswer ReadStatus(const Json& status, const HttpResponse& response, std::string_view secret);

// From the last log that tells a percentage, at the front of its last line or behind the word "progress":
// "50%", "Progress: 12.5%", " 45%|####    | 9/20 …".
Progress ReadLogs(const Json& logs);

}  // namespace mediagen::fal
