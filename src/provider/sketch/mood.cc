#include "provider/sketch/mood.h"

#include <algorithm>
#include <string>

#include "base/text.h"
#include "provider/sketch/palette.h"

namespace mediagen::sketch {
namespace {

constexpr float kNone = -1;

// A word's hue in degrees of OKLCH (kNone: none), how much it lightens and greys, and the form that it
// suggests.
struct Word {
  std::string_view name;
  float hue;
  float light = 0, grey = 0;
  int form = kAnyForm;
};

constexpr int kRidge = static_cast<int>(Form::kRidges), kRibbon = static_cast<int>(Form::kRibbons),
              kOrb = static_cast<int>(Form::kOrbs), kFacet = static_cast<int>(Form::kFacets),
              kPetal = static_cast<int>(Form::kPetals);

constexpr Word kWords[] = {
    {"red", 27},
    {"crimson", 18},
    {"scarlet", 30},
    {"ruby", 15, 0, 0, kFacet},
    {"blood", 25, -0.1f},
    {"fox", 48},
    {"tiger", 60},
    {"orange", 55},
    {"copper", 52},
    {"rust", 45},
    {"pumpkin", 58},
    {"sunset", 42, 0, 0, kRidge},
    {"sunrise", 55, 0.08f, 0, kRidge},
    {"dawn", 35, 0.1f, 0, kRidge},
    {"dusk", 320, -0.12f, 0, kRidge},
    {"fire", 45, -0.1f, 0, kRibbon},
    {"flame", 50, -0.1f, 0, kRibbon},
    {"lava", 40, -0.15f, 0, kRibbon},
    {"autumn", 60, 0, 0, kRidge},
    {"fall", 60},
    {"desert", 72, 0.08f, 0.1f, kRidge},
    {"sand", 82, 0.1f, 0.2f, kRidge},
    {"dune", 76, 0.08f, 0, kRidge},
    {"gold", 88},
    {"golden", 88},
    {"amber", 72},
    {"honey", 80},
    {"yellow", 105},
    {"sun", 90, 0.06f},
    {"sunflower", 98, 0.05f, 0, kPetal},
    {"lemon", 108, 0.06f},
    {"lion", 78},
    {"green", 145},
    {"forest", 148, -0.06f, 0, kRidge},
    {"leaf", 138, 0, 0, kPetal},
    {"grass", 135, 0, 0, kRidge},
    {"moss", 130},
    {"jungle", 150, -0.06f, 0, kRidge},
    {"jade", 165},
    {"emerald", 158, 0, 0, kFacet},
    {"spring", 132, 0.08f, 0, kPetal},
    {"mint", 168, 0.1f},
    {"teal", 195},
    {"turquoise", 190},
    {"cyan", 200},
    {"aqua", 200},
    {"lagoon", 195, 0, 0, kRidge},
    {"aurora", 165, -0.26f, 0, kRibbon},
    {"sea", 228, 0, 0, kRidge},
    {"ocean", 240, -0.05f, 0, kRidge},
    {"wave", 225, 0, 0, kRibbon},
    {"waves", 225, 0, 0, kRibbon},
    {"river", 220, 0, 0, kRibbon},
    {"water", 225, 0, 0, kRibbon},
    {"rain", 240, -0.08f, 0.3f},
    {"lake", 222, 0, 0, kRidge},
    {"blue", 258},
    {"azure", 245},
    {"sky", 238, 0.1f},
    {"sapphire", 264, 0, 0, kFacet},
    {"navy", 265, -0.15f},
    {"indigo", 278},
    {"ice", 222, 0.16f, 0.3f, kFacet},
    {"glacier", 225, 0.14f, 0.2f, kFacet},
    {"winter", 235, 0.16f, 0.35f, kRidge},
    {"snow", kNone, 0.2f, 0.5f, kRidge},
    {"snowy", kNone, 0.2f, 0.5f, kRidge},
    {"frost", 225, 0.18f, 0.4f, kFacet},
    {"purple", 308},
    {"violet", 298},
    {"lavender", 302, 0.1f, 0.1f, kRidge},
    {"plum", 330},
    {"magenta", 340},
    {"amethyst", 305, 0, 0, kFacet},
    {"pink", 355, 0.06f},
    {"rose", 8, 0.04f, 0, kPetal},
    {"cherry", 2, 0.06f, 0, kPetal},
    {"blossom", 355, 0.1f, 0, kPetal},
    {"coral", 32, 0.05f},
    {"peach", 50, 0.1f},
    {"salmon", 35, 0.05f},
    {"night", 268, -0.3f},
    {"midnight", 270, -0.34f},
    {"dark", kNone, -0.26f},
    {"black", kNone, -0.32f, 0.4f},
    {"noir", kNone, -0.3f, 0.8f},
    {"moon", 260, -0.24f, 0.1f, kOrb},
    {"stars", 272, -0.3f, 0, kOrb},
    {"star", 272, -0.3f, 0, kOrb},
    {"space", 285, -0.32f, 0, kOrb},
    {"galaxy", 300, -0.3f, 0, kOrb},
    {"nebula", 320, -0.3f, 0, kRibbon},
    {"planet", 250, -0.28f, 0, kOrb},
    {"cosmic", 295, -0.3f, 0, kOrb},
    {"neon", 330, -0.3f, -0.3f, kFacet},
    {"cyberpunk", 325, -0.3f, -0.3f, kFacet},
    {"city", 262, -0.16f, 0, kFacet},
    {"storm", 250, -0.16f, 0.5f, kRibbon},
    {"fog", kNone, 0.1f, 0.6f, kRidge},
    {"mist", kNone, 0.12f, 0.5f, kRidge},
    {"cloud", 235, 0.14f, 0.3f, kRidge},
    {"clouds", 235, 0.14f, 0.3f, kRidge},
    {"white", kNone, 0.22f, 0.6f},
    {"grey", kNone, 0, 0.8f},
    {"gray", kNone, 0, 0.8f},
    {"silver", kNone, 0.1f, 0.8f, kFacet},
    {"stone", kNone, 0, 0.7f, kFacet},
    {"brown", 58, -0.1f, 0.35f},
    {"coffee", 55, -0.14f, 0.4f},
    {"wood", 62, -0.06f, 0.3f},
    {"chocolate", 45, -0.15f, 0.35f},
    {"bear", 55, -0.1f, 0.3f},
    {"mountain", kNone, 0, 0, kRidge},
    {"mountains", kNone, 0, 0, kRidge},
    {"hill", kNone, 0, 0, kRidge},
    {"hills", kNone, 0, 0, kRidge},
    {"landscape", kNone, 0, 0, kRidge},
    {"island", 200, 0, 0, kRidge},
    {"valley", kNone, 0, 0, kRidge},
    {"horse", 50, 0, 0, kRidge},
    {"silk", kNone, 0, 0, kRibbon},
    {"wind", kNone, 0, 0, kRibbon},
    {"music", kNone, 0, 0, kRibbon},
    {"dream", 300, 0, 0, kRibbon},
    {"dance", kNone, 0, 0, kRibbon},
    {"smoke", kNone, -0.1f, 0.4f, kRibbon},
    {"dragon", 25, -0.14f, 0, kRibbon},
    {"speed", kNone, 0, 0, kRibbon},
    {"bubble", kNone, 0, 0, kOrb},
    {"bubbles", kNone, 0, 0, kOrb},
    {"ball", kNone, 0, 0, kOrb},
    {"balloon", kNone, 0, 0, kOrb},
    {"light", kNone, 0.08f, 0, kOrb},
    {"lights", kNone, -0.15f, 0, kOrb},
    {"fruit", 50, 0.05f, 0, kOrb},
    {"cat", 55, 0.05f, 0, kOrb},
    {"crystal", kNone, 0.05f, 0, kFacet},
    {"glass", kNone, 0.05f, 0, kFacet},
    {"diamond", kNone, 0.1f, 0.2f, kFacet},
    {"robot", 240, -0.1f, 0.3f, kFacet},
    {"castle", kNone, 0, 0, kFacet},
    {"machine", kNone, -0.1f, 0.3f, kFacet},
    {"geometric", kNone, 0, 0, kFacet},
    {"flower", kNone, 0.05f, 0, kPetal},
    {"flowers", kNone, 0.05f, 0, kPetal},
    {"lotus", 350, 0.05f, 0, kPetal},
    {"garden", 140, 0.05f, 0, kPetal},
    {"mandala", kNone, 0, 0, kPetal},
    {"bird", kNone, 0.05f, 0, kPetal},
    {"peacock", 210, -0.1f, 0, kPetal},
    {"butterfly", kNone, 0.05f, 0, kPetal},
};

const Word* Find(std::string_view name) {
  for (const Word& word : kWords) {
    if (word.name == name) return &word;
  }
  return nullptr;
}

}  // namespace

Mood MoodOf(std::string_view prompt) {
  Mood mood;
  const std::string text = ToLower(prompt) + ' ';
  std::string name;
  for (char c : text) {
    if (c >= 'a' && c <= 'z') {
      if (name.size() < 32) name.push_back(c);
      continue;
    }
    if (const Word* word = Find(name)) {
      if (word->hue != kNone && mood.hues.size() < 4) mood.hues.push_back(word->hue);
      mood.light += word->light;
      mood.grey += word->grey;
      if (mood.form == kAnyForm) mood.form = word->form;
      mood.snow |= name.starts_with("snow") || name == "winter";
    }
    name.clear();
  }
  mood.light = std::clamp(mood.light, -0.34f, 0.24f);
  mood.grey = std::clamp(mood.grey, -0.3f, 0.9f);
  return mood;
}

}  // namespace mediagen::sketch
