// Google Gemini, the Developer API (https://generativelanguage.googleapis.com/v1beta), and servers that speak
// its wire.
//
// Models, with or without "models/" before their name: "veo-…" are operations (video), "gemini-omni-…" are
// interactions (video or image), every other name is asked for pictures by generateContent, which answers at
// once.
#pragma once

#include <memory>

#include "provider/provider.h"

namespace mediagen {

// kInvalid for a bad base URL.
StatusOr<std::unique_ptr<Adapter>> NewGeminiAdapter(ProviderConfig config);

}  // namespace mediagen
