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
std::string RecipeTag(const Recipe& recipe) {
  return Hex(Sha256(fmt::format("{}|m4|{}", recipe.name(), kCodecVersion))).substr(0, 6);
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
  for (size_t begin = 0; begin <= name.size();) {
    size_t end = std::min(name.find(',', begin), name.size());
    std::string_view part = name.substr(begin, end - begin);
    begin = end + 1;
    uint32_t number = 0;
    if (part.size() > 1 && (part[0] == 'w' || part[0] == 'h' || part[0] == 'q') &&
        Number(part.substr(1), &number)) {
      uint32_t most = part[0] == 'q' ? 100 : kMaxSide;
      if (number < 1 || number > most)
        return BadRecipe(name, fmt::format("{} must be from 1 to {}", part[0], most));
      if (part[0] == 'w') recipe.width = number;
      if (part[0] == 'h') recipe.height = number;
      if (part[0] == 'q') recipe.quality = static_cast<int>(number);
    } else if (auto fit = FitByName(part); fit.ok()) {
      recipe.fit = *fit;
    } else if (Format format = FormatByName(part);
               format == Format::kJpeg || format == Format::kPng || format == Format::kWebp) {
      recipe.format = format;
    } else {
      return BadRecipe(name, fmt::format("its part \"{}\" is unknown", Shorten(part, 20)));
    }
  }
  if (recipe.format == Format::kUnknown) return BadRecipe(name, "its format (jpeg, png, webp) is missing");
  if (recipe.format == Format::kPng) recipe.quality = 0;
  return recipe;
}

const Recipe& PreviewRecipe() {
  static const Recipe recipe{64, 64, Fit::kInside, Format::kWebp, 70};
  return recipe;
}

const std::vector<Recipe>& EagerRecipes() {
  static const auto* recipes = new std::vector<Recipe>{{600, 600, Fit::kCover, Format::kJpeg, 85},
                                                       {300, 300, Fit::kCover, Format::kJpeg, 85},
                                                       {150, 150, Fit::kCover, Format::kJpeg, 85},
                                                       PreviewRecipe()};
  return *recipes;
}

RecipeList::RecipeList(std::vector<Recipe> configured) : recipes_(std::move(configured)) {
  for (const Recipe& recipe : EagerRecipes()) {
    recipes_.push_back(recipe);
    Recipe webp = recipe;
    webp.format = Format::kWebp;
    recipes_.push_back(webp);
  }
}

bool RecipeList::Allows(const Recipe& recipe) const {
  return std::find(recipes_.begin(), recipes_.end(), recipe) != recipes_.end();
}

std::string OriginalVersion(std::string_view original_sha256) {
  return std::string(original_sha256.substr(0, 12));
}

std::string VariantVersion(std::string_view original_sha256, const Recipe& recipe) {
  // Every record names the eager variants of its outputs: their tags are made once.
  static const auto* eager = [] {
    auto* tags = new std::vector<std::pair<Recipe, std::string>>;
    for (const Recipe& known : EagerRecipes()) tags->emplace_back(known, RecipeTag(known));
    return tags;
  }();
  std::string version(original_sha256.substr(0, 8));
  for (const auto& [known, tag] : *eager) {
    if (known == recipe) return version.append(tag);
  }
  return version.append(RecipeTag(recipe));
}

}  // namespace mediagen
