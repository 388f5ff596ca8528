// The body of a submit, from a request.
//
// Thread-safe: pure functions.
#pragma once

#include "provider/provider.h"

namespace mediagen::fal {

// `options` are merged in where the request itself sets nothing; "sync_mode" is refused (kInvalid). kInvalid
// for a malformed size or reference, kUnsupported for what the model does not take.
StatusOr<Json> BuildInput(const PartRequest& request);

}  // namespace mediagen::fal
