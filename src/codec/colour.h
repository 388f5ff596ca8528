// Colour management: what a picture's ICC profile means, and its pixels as sRGB. Internal to codec/.
//
// Thread-safe. The only state is a cache of the last few conversions, because the pictures of a site share a
// handful of profiles and making a conversion costs as much as using it on a thumbnail.
//
// The intent is relative colorimetric with black-point compensation: white stays white, black becomes black,
// what sRGB can show is exact, and what it cannot is clipped. Perceptual would need a table of how to squeeze
// colours into sRGB, which has none; it would only make the outcome depend on who made the profile.
#pragma once

#include <string_view>

#include "codec/image.h"

namespace mediagen::codec {

// What a profile means for RGB pictures.
enum class Gamut {
  kSrgb,      // converting would change no value by more than 1: the pixels are sRGB as they are
  kOther,     // they want converting
  kUnusable,  // no profile, a broken one, or one for neither RGB nor grey
};
Gamut GamutOf(std::string_view icc);

// Whether an RGB profile's primaries reach clearly beyond sRGB, as those of Display P3, Adobe RGB, Rec. 2020
// and ProPhoto do, so that its pictures lose colour as sRGB. False for a profile that is unusable.
bool IsWideGamut(std::string_view icc);

// Makes RGB or RGBA pixels of profile `icc` sRGB, in place; alpha is not touched. With a profile that is sRGB
// nothing changes. A grey profile's tone curve is applied to each channel, which is right where all three are
// equal, as decoders of grey pictures make them. kInvalid, and nothing changed, for a profile that is
// kUnusable.
Status ToSrgb(std::string_view icc, Pixels* pixels);

// The RGB of pixels whose four channels are CMYK as libjpeg gives it from Adobe's files: inverted, so 255 is
// no ink. Without a profile ("") ink simply takes light from white paper. kInvalid for a profile that is
// broken or not for CMYK.
StatusOr<Pixels> CmykToSrgb(std::string_view icc, const Pixels& cmyk);

}  // namespace mediagen::codec
