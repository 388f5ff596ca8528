// The colours of a PNG that says them in numbers. Internal to codec/.
//
// Thread-safe: no state.
#pragma once

#include <string>
#include <string_view>

namespace mediagen::codec {

// What gAMA and cHRM (PNG third edition §11.3.2.1 and §11.3.2.2) say, as an ICC profile. "" when that is sRGB
// or near it, when there is no gAMA, and when a chunk of more weight is there: iCCP, sRGB or cICP (§13.14).
// cHRM alone says nothing: which light its colours are mixed of is no use without knowing how values mean
// light.
std::string PngColourProfile(std::string_view bytes);

}  // namespace mediagen::codec
