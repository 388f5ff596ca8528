// Content negotiation by q-values (RFC 9110 §12).
#pragma once

#include <string>
#include <string_view>

#include "api/compress.h"
#include "codec/image.h"

namespace mediagen {

// The quality (0–1000) that an Accept value gives to `type` ("image/webp"): the most specific range counts
// (§12.5.1); 1000 for an absent header. A range with parameters is about representations that have them, and
// ours have none.
int AcceptQuality(std::string_view accept, std::string_view type);

// The picture format to send when the URL names none: WebP where it is accepted at least as much as JPEG and
// is named or covered by image/*, else JPEG for opaque sources, PNG for a source with alpha. A bare "*/*"
// (curl) keeps the source's kind.
Format NegotiateFormat(std::string_view accept, Format source);

// The quality (0–1000) that an Accept-Encoding value gives to `coding` (§12.5.3): its own, or that of "*".
// "identity" is acceptable, with the least quality there is, unless it is refused by name or by "*;q=0".
int CodingQuality(std::string_view accept_encoding, std::string_view coding);

// The coding to send, of identity, zstd and gzip; null: the field is absent, and nothing is compressed for
// who did not ask.
struct CodingChoice {
  Coding coding = Coding::kIdentity;  // the best one: zstd before gzip at equal quality
  bool identity = true;               // whether the bytes may also be sent as they are
};
CodingChoice NegotiateCoding(const std::string* accept_encoding);

}  // namespace mediagen
