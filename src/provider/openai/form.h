// Form: the body of a multipart/form-data request (RFC 7578), whose boundary occurs in none of its parts.
//
// Not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/id.h"
#include "base/json.h"
#include "base/status.h"

namespace mediagen::openai {

class Form {
 public:
  // A field of a form has a name, and texts alone: a number or a truth is written as JSON writes it, an array
  // of them as several parts "name[]", anything deeper as its JSON text; null is left out. kInvalid for a
  // name that is not 1 to 64 of [A-Za-z0-9_.-].
  Status Add(std::string_view name, const Json& value);
  // A file, under a name and with a file name of ours. A media type that is none becomes
  // application/octet-stream.
  void AddFile(std::string_view name, std::string_view stem, std::string_view media_type, BufferRef bytes);

  struct Encoded {
    std::string content_type, body;
  };
  Encoded Encode(Random* random) const;

 private:
  struct Part {
    std::string head, text;
    BufferRef bytes;
    std::string_view content() const { return bytes ? bytes.view() : std::string_view(text); }
  };
  void AddText(std::string_view name, const Json& value);

  std::vector<Part> parts_;
};

}  // namespace mediagen::openai
