// DrawSketch: an abstract picture from the words of a prompt. A drawing program, not a model.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/status.h"
#include "codec/image.h"

namespace mediagen {

// RGB pixels, the same for the same prompt, seed and size, whatever `steps` is. Colour words (red, night,
// snow, …) decide the palette and some nouns the form; the rest is chance by prompt and seed. Any bytes are a
// prompt.
//
// Drawn in `steps` (1–200) bands from the top. `on_step(step, steps)` is called before each, with 1 to steps;
// its error ends the drawing and is returned. Runs on the caller's thread and keeps nothing. kInvalid for a
// side out of 16–4096 or steps out of range.
StatusOr<Pixels> DrawSketch(std::string_view prompt, uint64_t seed, uint32_t width, uint32_t height,
                            const std::function<Status(int step, int steps)>& on_step, int steps);

}  // namespace mediagen
