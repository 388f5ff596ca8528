// OpenAI's pictures and videos (https://api.openai.com/v1), and servers that speak the same wire.
//
// Pictures are synchronous: POST /images/generations as JSON, or /images/edits as a form where the request
// has references. Videos are work that is polled: POST /videos. A server of another base URL needs no key,
// and takes a seed and a negative prompt, which OpenAI itself does not.
#pragma once

#include <memory>

#include "provider/provider.h"

namespace mediagen {

// kInvalid for a bad base URL.
StatusOr<std::unique_ptr<Adapter>> NewOpenAiAdapter(ProviderConfig config);

}  // namespace mediagen
