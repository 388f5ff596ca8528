#include "media/recipe.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr uint32_t kMaxSide = 16384;

Status BadRecipe(std::string_view name, std::string_view why) {
  return Error(Code::kInvalid, fmt::format("\"{}\" is not a recipe: {}.", Shorten(name, 80), why),
               {.hint = "A recipe looks like w300,h300,cover,jpeg,q85."});
}

bool Number(std::string_view text, uint32_t* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

// What a variant depends on beside its original.
std::string RecipeTag(const Recipe& recipe, int effort) {
  return Hex(Sha256(fmt::format("{}|m{}|{}", recipe.name(), effort, kCodecVersion))).substr(0, 6);
}

}  // namespace

std::string Recipe::name() const {
  std::string out;
  if (width > 0) out += fmt::format("w{},", width);
  if (height > 0) out += fmt::format("h{},", height);
  out += fmt::format("{},{}", FitName(fit), FormatName(format));
  if (quality > 0 && format != Format::kPng) out += fmt::format(",q{}", quality);
  return out;
}

StatusOr<Recipe> Recipe::Parse(std::string_view name) {
  Recipe recipe;
  recipe.format = Format::kUnknown;
  std::string given;  // one letter for each kind of part: two of a kind would contradict each other
  for (size_t begin = 0; begin <= name.size();) {
    size_t end = std::min(name.find(',', begin), name.size());
    std::string_view part = name.substr(begin, end - begin);
    begin = end + 1;
    uint32_t number = 0;
    char kind = 0;
    if (part.size() > 1 && (part[0] == 'w' || part[0] == 'h' || part[0] == 'q') &&
        Number(part.substr(1), &number)) {
      uint32_t most = part[0] == 'q' ? 100 : kMaxSide;
      if (number < 1 || number > most)
        return BadRecipe(name, fmt::format("{} must be from 1 to {}", part[0], most));
      kind = part[0];
      if (part[0] == 'w') recipe.width = number;
      if (part[0] == 'h') recipe.height = number;
      if (part[0] == 'q') recipe.quality = static_cast<int>(number);
    } else if (auto fit = FitByName(part); fit.ok()) {
      kind = 'f';
      recipe.fit = *fit;
    } else if (Format format = FormatByName(part);
               format == Format::kJpeg || format == Format::kPng || format == Format::kWebp) {
      kind = 'o';
      recipe.format = format;
    } else {
      return BadRecipe(name, fmt::format("its part \"{}\" is unknown", Shorten(part, 20)));
    }
    if (given.find(kind) != std::string::npos)
      return BadRecipe(name, fmt::format("\"{}\" is the second of its kind", Shorten(part, 20)));
    given.push_back(kind);
  }
  if (recipe.format == Format::kUnknown) return BadRecipe(name, "its format (jpeg, png, webp) is missing");
  if (recipe.format == Format::kPng) recipe.quality = 0;
  return recipe;
}

const Recipe& PreviewRecipe() {
  static const Recipe recipe{64, 64, Fit::kInside, Format::kWebp, 70};
  return recipe;
}

int FinalEffort(const Recipe& recipe) { return recipe.format == Format::kWebp ? 6 : 0; }

int FirstEffort(const Recipe& recipe) {
  // On 64 px the last effort costs a millisecond, and records name the preview's version before it is made.
  constexpr uint32_t kTiny = 64;
  const bool tiny = recipe.width > 0 && recipe.height > 0 && recipe.width <= kTiny && recipe.height <= kTiny;
  return recipe.format == Format::kWebp && !tiny ? 4 : FinalEffort(recipe);
}

const std::vector<Recipe>& EagerRecipes() {
  static const auto* recipes = [] {
    auto* all = new std::vector<Recipe>;
    for (uint32_t side : {600, 300, 150}) {
      all->push_back({side, side, Fit::kCover, Format::kJpeg, 85});
      all->push_back({side, side, Fit::kCover, Format::kWebp, 85});
    }
    all->push_back(PreviewRecipe());
    return all;
  }();
  return *recipes;
}

RecipeList::RecipeList(std::vector<Recipe> configured) : recipes_(std::move(configured)) {
  recipes_.insert(recipes_.end(), EagerRecipes().begin(), EagerRecipes().end());
  Recipe preview = PreviewRecipe();
  preview.format = Format::kJpeg;
  recipes_.push_back(preview);
  for (Format format : {Format::kJpeg, Format::kWebp}) {
    recipes_.push_back({64, 64, Fit::kCover, format, 85});
    recipes_.push_back({0, 0, Fit::kInside, format, 85});
  }
  recipes_.push_back({0, 0, Fit::kInside, Format::kPng, 0});
}

bool RecipeList::Allows(const Recipe& recipe) const {
  return std::find(recipes_.begin(), recipes_.end(), recipe) != recipes_.end();
}

std::string OriginalVersion(std::string_view original_sha256) {
  return std::string(original_sha256.substr(0, 12));
}

std::string VariantVersion(std::string_view original_sha256, const Recipe& recipe, int effort) {
  // Every record names variants of its outputs: the tags of the usual ones are made once.
  struct Known {
    Recipe recipe;
    int effort;
    std::string tag;
  };
  static const auto* known = [] {
    auto* all = new std::vector<Known>;
    for (const Recipe& eager : EagerRecipes()) {
      all->push_back({eager, FirstEffort(eager), RecipeTag(eager, FirstEffort(eager))});
      if (FinalEffort(eager) != FirstEffort(eager))
        all->push_back({eager, FinalEffort(eager), RecipeTag(eager, FinalEffort(eager))});
    }
    return all;
  }();
  std::string version(original_sha256.substr(0, 8));
  for (const Known& one : *known) {
    if (one.effort == effort && one.recipe == recipe) return version += one.tag;
  }
  return version += RecipeTag(recipe, effort);
}

std::string VariantVersion(std::string_view original_sha256, const Recipe& recipe) {
  return VariantVersion(original_sha256, recipe, FinalEffort(recipe));
}

}  // namespace mediagen
