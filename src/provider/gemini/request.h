// The body of a paid request, in the form of the model's route.
//
// Thread-safe: pure functions.
#pragma once

#include "provider/gemini/model.h"
#include "provider/provider.h"

namespace mediagen::gemini {

// kInvalid for a request without a prompt and references, for two first frames, and for options that would
// change how the answer comes or what it costs; kUnsupported for a reference that is not there as bytes;
// kTooLarge for more bytes than the API takes.
StatusOr<Json> BuildBody(const PartRequest& request, const Model& model);

// Adds `options` to `body` where the body says nothing itself: an object goes into an object of the same
// name, and what the body sets wins. The API reads "generation_config" as "generationConfig"; so does this.
// kInvalid for what `route` reserves.
Status MergeOptions(const Json& options, Route route, Json* body);

}  // namespace mediagen::gemini
