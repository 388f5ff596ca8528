#include "provider/sketch/palette.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "provider/sketch/mood.h"
#include "provider/sketch/noise.h"

namespace mediagen::sketch {
namespace {

// Where a hue is itself: yellow is light, blue is dark.
float NaturalLightness(float hue) {
  const float from_yellow = std::remainder(hue - 100, 360.0f) / 48;
  return 0.57f + 0.25f * std::exp(-from_yellow * from_yellow);
}

// Hues that no word gave: neighbours of the first, its opposite, or a third of the circle away.
void CompleteHues(Dice* dice, std::vector<float>* hues) {
  const bool given = !hues->empty();
  if (!given) hues->push_back(dice->Range(0, 360));
  const float base = hues->front();
  const float side = dice->Below(2) == 0 ? 1.0f : -1.0f;
  constexpr float kSchemes[3][3] = {{35, -30, 170}, {160, 25, 195}, {120, 40, -110}};
  const float* scheme = kSchemes[dice->Below(3)];
  for (size_t i = 0; hues->size() < 4; ++i) hues->push_back(base + side * scheme[i] + dice->Range(-12, 12));
}

}  // namespace

Reading Read(std::string_view prompt, uint64_t seed) {
  Dice dice(seed);
  Mood mood = MoodOf(prompt);
  const auto form =
      mood.form == kAnyForm ? static_cast<Form>(dice.Below(kForms)) : static_cast<Form>(mood.form);
  // A pale prompt keeps its colours for what is painted; the background takes the hue of cold air.
  const bool pale = mood.snow;
  CompleteHues(&dice, &mood.hues);
  const std::vector<float>& hues = mood.hues;
  const float ground = pale ? 240 + dice.Range(-15, 15) : hues[0];
  // The background's two hues stay near enough that no grey lies between them.
  const float apart = std::remainder(hues[1] - hues[0], 360.0f);
  const float second = pale ? ground - 25 : ground + std::clamp(apart, -55.0f, 55.0f);
  const float chroma = 0.17f * (1 - std::max(0.0f, mood.grey)) * (pale ? 0.7f : 1);
  const float vivid = pale ? 0.2f : 0.2f * (1 - 0.75f * mood.grey);

  Palette palette;
  palette.night = mood.light < -0.2f;
  palette.snow = mood.snow;
  const float up = mood.light;
  palette.sky[0] = Oklch(0.34f + up * (pale ? 1.4f : 0.9f), chroma * 0.9f, ground);
  palette.sky[1] = Oklch(0.52f + up * 1.1f, chroma, ground + (second - ground) * 0.25f);
  palette.sky[2] = Oklch(0.68f + up * (up < 0 ? 1.15f : 0.9f), chroma * 0.9f, second);
  palette.sky[3] = Oklch(0.87f + up * (up < 0 ? 1.1f : 0.45f), chroma * 0.55f, second + 15);
  for (size_t i = 0; i < palette.accents.size(); ++i) {
    const float hue = hues[i % hues.size()] + dice.Range(-8, 8);
    palette.accents[i] = Oklch(NaturalLightness(hue) + 0.05f * static_cast<float>(i % 3) +
                                   std::max(-0.17f, up * (up < 0 ? 0.5f : 0.3f)),
                               vivid, hue);
  }
  palette.deep = Oklch(std::max(0.07f, 0.19f + up * 0.4f), 0.06f, pale ? hues[0] : ground);
  palette.glow = Oklch(0.95f, 0.07f * (1 - 0.5f * std::max(0.0f, mood.grey)), pale ? 80 : second + 10);
  return {palette, form};
}

}  // namespace mediagen::sketch
