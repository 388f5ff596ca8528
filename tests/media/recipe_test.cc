#include "media/recipe.h"

#include <doctest/doctest.h>

using namespace mediagen;

TEST_CASE("a recipe's name is canonical: any order of its parts gives the same one") {
  for (const char* text : {"w300,h300,cover,jpeg,q85", "cover,q85,jpeg,h300,w300"}) {
    auto recipe = Recipe::Parse(text);
    REQUIRE(recipe.ok());
    CHECK(recipe->name() == "w300,h300,cover,jpeg,q85");
  }
  CHECK(Recipe::Parse("w64,inside,png")->name() == "w64,inside,png");
}

TEST_CASE("what is no recipe is refused with the part that is wrong") {
  for (const char* text :
       {"", "w300", "w0,jpeg", "w99999,jpeg", "q101,jpeg", "w300,h300,crop,jpeg", "w300,tiff", "w300,,jpeg",
        "w-1,jpeg", "w1e3,jpeg", "w300,w400,jpeg", "jpeg,png", "cover,fill,jpeg"}) {
    CAPTURE(text);
    CHECK(CodeOf(Recipe::Parse(text).status()) == Code::kInvalid);
  }
}

TEST_CASE("the eager recipes are offered as JPEG and WebP, configured ones as they are, and nothing else") {
  RecipeList list({*Recipe::Parse("w800,inside,webp,q70")});
  CHECK(list.Allows(*Recipe::Parse("w300,h300,cover,jpeg,q85")));
  CHECK(list.Allows(*Recipe::Parse("w300,h300,cover,webp,q85")));
  CHECK(list.Allows(*Recipe::Parse("w800,inside,webp,q70")));
  for (const char* also :
       {"inside,jpeg", "inside,webp,q85", "inside,png", "w64,h64,cover,jpeg", "w64,h64,cover,webp"}) {
    CAPTURE(also);
    CHECK(list.Allows(*Recipe::Parse(also)));
  }
  CHECK_FALSE(list.Allows(*Recipe::Parse("w800,inside,webp,q71")));
  CHECK_FALSE(list.Allows(*Recipe::Parse("w301,h300,cover,jpeg,q85")));
}

TEST_CASE("a version changes with the original and with the recipe") {
  const Recipe a = *Recipe::Parse("w300,h300,cover,jpeg,q85"), b = *Recipe::Parse("w300,h300,cover,jpeg,q84");
  CHECK(VariantVersion("aa", a) == VariantVersion("aa", a));
  CHECK(VariantVersion("aa", a) != VariantVersion("ab", a));
  CHECK(VariantVersion("aa", a) != VariantVersion("aa", b));
}

TEST_CASE("a version changes with the effort, and the eager ones are named as any other") {
  for (const char* name : {"w300,h300,cover,webp,q85", "w301,h300,cover,webp,q85"}) {
    const Recipe recipe = *Recipe::Parse(name);
    CHECK(FirstEffort(recipe) == 4);
    CHECK(FinalEffort(recipe) == 6);
    CHECK(VariantVersion("aa", recipe, 4) != VariantVersion("aa", recipe, 6));
    CHECK(VariantVersion("aa", recipe) == VariantVersion("aa", recipe, 6));
  }
  CHECK(FirstEffort(PreviewRecipe()) == FinalEffort(PreviewRecipe()));
  CHECK(FinalEffort(*Recipe::Parse("w300,cover,jpeg")) == 0);
}
