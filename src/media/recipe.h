// Recipe: what a variant is made by, and under which name it is stored, cached and addressed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "codec/image.h"

namespace mediagen {

struct Recipe {
  uint32_t width = 0, height = 0;  // 0: from the other, by the aspect ratio
  Fit fit = Fit::kInside;
  Format format = Format::kJpeg;
  int quality = 85;  // 0 for formats without one

  bool operator==(const Recipe&) const = default;
  // The canonical name, "w300,h300,cover,jpeg,q85": equal recipes have equal names.
  std::string name() const;
  // The inverse, in any order of its parts; kInvalid says which part is wrong.
  static StatusOr<Recipe> Parse(std::string_view name);
};

// How hard the encoder tries (WebP's method; 0 for formats without one). What somebody waits for is made with
// FirstEffort; where FinalEffort is higher, a later job makes it again, which has other bytes and another
// version.
int FirstEffort(const Recipe& recipe);
int FinalEffort(const Recipe& recipe);

// What is made of every picture as soon as it is stored, from one decode: the 64-px preview and the 150, 300
// and 600 px thumbnails as JPEG and as WebP.
const std::vector<Recipe>& EagerRecipes();
const Recipe& PreviewRecipe();
// What may be asked for without a signature: the eager ones, squares of 64, the full size in each format, and
// the configured ones.
class RecipeList {
 public:
  explicit RecipeList(std::vector<Recipe> configured = {});
  bool Allows(const Recipe& recipe) const;

 private:
  std::vector<Recipe> recipes_;
};

// Changes whenever the encoders' output for the same recipe may change: part of a variant's version and key.
constexpr int kCodecVersion = 2;

// The `v` of a picture's URL: a short name for original, recipe, effort and codec version together.
std::string VariantVersion(std::string_view original_sha256, const Recipe& recipe, int effort);
// Of a variant whose first effort is its last: what records can name before it was made.
std::string VariantVersion(std::string_view original_sha256, const Recipe& recipe);
std::string OriginalVersion(std::string_view original_sha256);

}  // namespace mediagen
