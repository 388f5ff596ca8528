// What a request for a picture asks for: the parameters of its URL, and Accept where they leave the format
// open.
#pragma once

#include <optional>
#include <string>

#include "api/router.h"

namespace mediagen {

// An absent recipe is the original, as it is.
struct Asked {
  std::optional<Recipe> recipe;
  bool negotiated = false;
  std::optional<std::string> version;
};

// ?w&h&fit&format&q&v for a picture of `output`. kInvalid names what is wrong, and a recipe that is not
// `offered` unless the exchange's URL is signed.
StatusOr<Asked> ReadAsked(const RecipeList& offered, ApiExchange& exchange, const Output& output);
// ?v for the preview.
StatusOr<Asked> ReadPreview(ApiExchange& exchange);

}  // namespace mediagen
