// What families of models on OpenRouter take.
//
// Thread-safe: pure functions.
#pragma once

#include <string_view>

#include "provider/provider.h"

namespace mediagen::openrouter {

// How many pictures one request may ask for at all.
inline constexpr int kMaxPictures = 10;

// Of the model "author/slug", by its longest known prefix; the cautious default otherwise.
Capabilities CapabilitiesOf(std::string_view model);

}  // namespace mediagen::openrouter
