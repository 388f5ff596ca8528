// Inline previews: a picture of a few hundred bytes inside a document, so that something is on the screen
// before any picture was asked for.
#pragma once

#include <string>
#include <string_view>

namespace mediagen {

// What a ThumbHash (base64, as records carry it) looks like, as a data URL of a WebP of at most 32 px; "" for
// a text that is no hash.
std::string PreviewDataUrl(std::string_view thumb_hash);

// A record or event with "preview" beside each "thumbHash": in an output record itself, in "outputs" of a
// generation's, and in "data" of an event about either. A document without any is given back as it is.
std::string WithPreviews(std::string_view document);

}  // namespace mediagen
