// The built-in provider "sketch": a drawing program, not a model, so that everything works without a key, a
// network or a bill. It draws an abstract picture from the words of the prompt (draw.h), in this process,
// byte for byte the same for the same prompt, seed, size and index.
//
// Options: "steps" (1–200, default 50) and "stepMs" (0–10000, default 0: a pause before each step, for
// demonstrations and crash tests; cancelling is noticed within 20 ms). Any other is refused by name.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "provider/provider.h"

namespace mediagen {

// local(), not billed, ready at once. `config`'s address and key are not used.
std::unique_ptr<Adapter> NewSketchAdapter(ProviderConfig config);

// The seed of the request's picture `index` (0 the first): the given seed plus the index, or one made from
// the prompt, which JSON can hold (2^53).
uint64_t SketchSeed(const PartRequest& request, int index);

}  // namespace mediagen
