// What the words of a prompt say, before anything is chosen. Internal to sketch/.
//
// Thread-safe: no state.
#pragma once

#include <string_view>
#include <vector>

namespace mediagen::sketch {

constexpr int kAnyForm = -1;

struct Mood {
  std::vector<float> hues;    // degrees of OKLCH, in the order of their words, at most four
  float light = 0, grey = 0;  // how much lighter and greyer than usual, either sign
  int form = kAnyForm;        // the first Form that a word suggests
  bool snow = false;
};

// ASCII letters make words; anything else parts them. Any bytes are a prompt.
Mood MoodOf(std::string_view prompt);

}  // namespace mediagen::sketch
