// The documents of Gemini's wire: what its requests ask for, and what the simulator answers of work that it
// has accepted.
//
// Thread-safe: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "simulator/prediction.h"

namespace mediagen::simulator {

// The input of a prediction, {prompt, num_outputs, kind} and perhaps {aspect_ratio, seed}, from a body of
// each of the three kinds of request. Without a prompt in it, it is "".
Json GenerateInput(const Json& body);
Json PredictInput(const Json& body);
Json InteractionInput(const Json& body);

// Whether generateContent is to answer with a picture.
bool MakesPicture(const Prediction& prediction);

// The three answers. `png`: where it makes a picture. `file_url`: where the result is fetched.
Json GeneratedJson(const Prediction& prediction, std::string_view png);
Json OperationJson(const Prediction& prediction, const std::string& file_url);
Json InteractionJson(const Prediction& prediction, const std::string& file_url);

// A video that nobody can play, but that says what it is.
std::string VideoOf(const Prediction& prediction);

}  // namespace mediagen::simulator
