// The "input" object of a prediction, from a request.
//
// Thread-safe: pure functions.
#pragma once

#include "provider/provider.h"
#include "provider/replicate/target.h"

namespace mediagen::replicate {

// The same request gives the same object every time: reconciliation compares it with what Replicate lists.
// `options` are merged in, but only for keys that the request itself does not set: a prompt, a seed or a size
// of the request wins over one that hides in the options. kInvalid for a malformed size or reference,
// kUnsupported for more references than the model takes.
StatusOr<Json> BuildInput(const PartRequest& request, const Target& target);

}  // namespace mediagen::replicate
