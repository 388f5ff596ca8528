// What the words of a prompt say about colour, mood and form. Internal to sketch/.
//
// Thread-safe: no state.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "provider/sketch/colour.h"

namespace mediagen::sketch {

enum class Form { kRidges, kRibbons, kOrbs, kFacets, kPetals };
constexpr uint32_t kForms = 5;

struct Palette {
  std::array<Colour, 4> sky;      // background, from its dark end to its light end
  std::array<Colour, 5> accents;  // what is painted on it, the prompt's own colours first
  Colour deep;                    // the darkest tone: near things, lines, shadows
  Colour glow;                    // suns, highlights
  bool night = false;             // dark: stars
  bool snow = false;              // flakes
};

struct Reading {
  Palette palette;
  Form form = Form::kRidges;
};

// Known words (red, night, snow, sea, city, flower, …) decide; what they leave open is drawn from `seed`. Any
// bytes are a prompt.
Reading Read(std::string_view prompt, uint64_t seed);

}  // namespace mediagen::sketch
