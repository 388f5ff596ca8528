// What a model name of Gemini's means on the wire, what the models of each route take, and the names by which
// the API knows work that was accepted.
//
// Thread-safe: pure functions over constant data. Names that come from the API are hostile input.
#pragma once

#include <string>
#include <string_view>

#include "provider/provider.h"

namespace mediagen::gemini {

enum class Route {
  kGenerate,     // POST /models/{model}:generateContent; the answer is the result
  kOperation,    // POST /models/{model}:predictLongRunning; GET /{name of the operation}
  kInteraction,  // POST /interactions; GET /interactions/{id}
};

struct Model {
  std::string name;  // without "models/"
  Route route = Route::kGenerate;
};

// kInvalid for a name that cannot stand in a path.
StatusOr<Model> ParseModel(std::string_view text);

Capabilities CapabilitiesOf(Route route);

// Where the paid request goes, below the base URL.
std::string SubmitPath(const Model& model);

// "models/<model>/operations/<id>", nothing else.
bool IsOperationName(std::string_view name);
// One segment of a path; base64's padding may follow.
bool IsInteractionId(std::string_view id);
// Where work is asked about, below the base URL; "" when `id` is neither of the two.
std::string StatusPath(std::string_view id);

}  // namespace mediagen::gemini
