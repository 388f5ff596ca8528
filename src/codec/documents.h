// Pictures in documents: what is asked of the codec as JSON, and what it says of a picture. The C ABI, the
// bindings and the command line share them.
//
// Thread-safe: no state.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "codec/image.h"

namespace mediagen {

// Every field is optional, "" is {}; kInvalid names what is wrong.
// {"width", "height", "orientation": true, "toSrgb": true, "maxPixels", "maxBytes", "maxMs"}: a decoder that
// can reduce cheaply may return anything that still covers width × height.
StatusOr<DecodeOptions> ParseDecodeOptions(std::string_view json);
// {"width", "height", "fit": "cover|contain|inside|outside|fill", "enlarge": false, "filter":
// "catmull-rom|lanczos3", "linearLight": false, "x": 0.5, "y": 0.5}
StatusOr<ResizeOptions> ParseResizeOptions(std::string_view json);
// {"format": "webp|jpeg|png", "quality": 85, "method": 4, "lossless": false, "chroma": "420|422|444",
// "progressive": false, "optimize": false, "level": 6, "background": "#ffffff"}
StatusOr<EncodeOptions> ParseEncodeOptions(std::string_view json);

// {"format", "mediaType", "bytes", "width", "height", "orientation", "alpha", "frames", "icc", "c2pa",
// "prompt"}; the size as it is stored.
std::string ProbeDocument(const ImageInfo& info, size_t bytes);
// {"red", "green", "blue", "alpha", "hex": "#rrggbb"}
std::string ColourDocument(const Colour& colour);

// The bytes of a picture that came as text, a data URL or bare base64; nullopt for anything else.
StatusOr<std::optional<std::string>> PictureFromText(std::string_view text);

}  // namespace mediagen
