// OpenRouter (https://openrouter.ai/api/v1) and servers that speak its wire.
//
// Models: "author/slug". Pictures come from POST /images, synchronously, or, with "options": {"path":
// "chat"}, from POST /chat/completions; videos from POST /videos, asynchronously.
#pragma once

#include <memory>

#include "provider/provider.h"

namespace mediagen {

// kInvalid for a bad base URL, or an application's URL or title that cannot stand in a header.
StatusOr<std::unique_ptr<Adapter>> NewOpenRouterAdapter(ProviderConfig config);

}  // namespace mediagen
