// The bodies of paid requests. The fields of pictures and videos, and the pictures that they start from.
//
// Thread-safe: pure functions.
#pragma once

#include "provider/openai/form.h"
#include "provider/openai/model.h"
#include "provider/provider.h"

namespace mediagen::openai {

// The fields of the request without its references: the options, and over them what the request itself says.
// `own`: at OpenAI itself (model.h). kInvalid for options that ask for a stream, for a field that the model
// refuses, or for a size that it does not make.
StatusOr<Json> BuildFields(const PartRequest& part, const Traits& traits, bool own);

// The fields and the references as one form: "image" or "image[]" and "mask" for pictures, "input_reference"
// for a video. kInvalid for a reference without bytes or of 50 MB or more, kUnsupported for a role
// or a number that does not fit.
StatusOr<Form> BuildForm(const PartRequest& part, const Traits& traits, const Json& fields);

}  // namespace mediagen::openai
