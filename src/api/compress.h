// The content codings of answers (RFC 9110 §8.4.1): zstd (RFC 8878) and gzip (RFC 1952).
#pragma once

#include <string>
#include <string_view>

namespace mediagen {

enum class Coding { kIdentity, kZstd, kGzip };

std::string_view CodingName(Coding coding);  // "zstd", …

// `bytes` in the coding; the same bytes give the same answer every time, so that a strong ETag stays. "" when
// there is no memory for it.
std::string Compress(Coding coding, std::string_view bytes);

}  // namespace mediagen
