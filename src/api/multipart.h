// multipart/form-data (RFC 7578) taken apart: the parts are views into the body, nothing is copied.
//
// Thread-safe: pure functions. The body is hostile input: it is read once, and what is malformed is kInvalid
// with what is wrong and where.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace mediagen {

struct FormPart {
  std::string_view name;          // as it was sent, quotes taken off, escapes left as they are
  bool file = false;              // a file name was sent; what it was is nobody's business
  std::string_view content_type;  // "" where none is claimed
  std::string_view body;
};

struct MultipartLimits {
  size_t max_parts = 16;
  size_t max_header_bytes = 8 << 10;  // of one part
};

// The type in front of ';', trimmed.
std::string_view MediaTypeOf(std::string_view content_type);

// The boundary that a Content-Type names. kInvalid where it names none, two, or one that RFC 2046 §5.1.1
// does not allow: 1 to 70 characters of a short list.
StatusOr<std::string> MultipartBoundary(std::string_view content_type);

// The parts, in the order in which they were sent. What stands in front of the first and behind the last is
// ignored (RFC 2046 §5.1.1). kTooLarge past the limits.
StatusOr<std::vector<FormPart>> ParseMultipart(std::string_view boundary, std::string_view body,
                                               const MultipartLimits& limits = {});

}  // namespace mediagen
