// Content negotiation by q-values (RFC 9110 §12).
#pragma once

#include <string_view>

#include "codec/image.h"

namespace mediagen {

// The quality (0–1000) that an Accept value gives to `type` ("image/webp"): the most specific range counts;
// 1000 for an absent header.
int AcceptQuality(std::string_view accept, std::string_view type);

// The picture format to send when the URL names none: WebP where it is accepted at least as much as JPEG and
// is named or covered by image/*, else JPEG for opaque sources, PNG for a source with alpha. A bare "*/*"
// (curl) keeps the source's kind.
Format NegotiateFormat(std::string_view accept, Format source);

// Whether `coding` may be used: named (or "*") with q > 0.
bool AcceptsCoding(std::string_view accept_encoding, std::string_view coding);

}  // namespace mediagen
