// A claim on its way to the host.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/call.h"
#include "engine/engine.h"

namespace mediagen::capi {

// Claims up to `max` jobs for `call`. Jobs that the host never came to know of (it canceled or freed the call
// just as they were claimed) are handed back at once, with no try burnt, instead of lying under this worker
// until their time is over.
void StartClaim(const Backend& backend, std::vector<std::string> queues, int max, std::shared_ptr<Call> call);

}  // namespace mediagen::capi
