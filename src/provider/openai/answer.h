// Reading the documents that answers hold: pictures, videos, and the pieces of a stream that nobody asked
// for.
//
// Thread-safe: pure functions over hostile input.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "provider/provider.h"

namespace mediagen::openai {

// The object that a body holds. A body of server-sent events, which some proxies send unasked, becomes the
// document that it would have been: what its "….completed" events hold as "data", and its error. nullopt when
// it is neither, or a stream that ends before either.
std::optional<Json> DocumentIn(std::string_view body);

// Whether a document is a video's and not a list of pictures.
bool IsVideo(const Json& document);
// The state of a video. `base`: where its content is fetched from. A video that failed counts as charged:
// nothing says that it is not.
PollAnswer ReadVideo(const Json& document, std::string_view base, std::string_view secret);

// The id of a video whose document is cut short or broken further on: only when it is the very first member,
// and certainly a video's. "" otherwise.
std::string SalvageVideoId(std::string_view body);

// "image/png" for the word "png" of an answer; "" for a word that is not known.
std::string MediaTypeOf(std::string_view output_format);

}  // namespace mediagen::openai
