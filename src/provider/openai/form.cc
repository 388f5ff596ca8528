#include "provider/openai/form.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "fmt/format.h"

namespace mediagen::openai {
namespace {

bool IsAlnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool IsFieldName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return IsAlnum(c) || c == '_' || c == '.' || c == '-';
  });
}

// "image/svg+xml": what a header may hold without being torn apart.
bool IsMediaType(std::string_view text) {
  const size_t slash = text.find('/');
  if (text.size() > 80 || slash == 0 || slash == std::string_view::npos || slash + 1 == text.size())
    return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlnum(c) || c == '/' || c == '.' || c == '+' || c == '-'; }) &&
         text.find('/', slash + 1) == std::string_view::npos;
}

// Servers go by the ending of the file name as well as by the type.
std::string_view EndingOf(std::string_view media_type) {
  if (media_type == "image/jpeg") return "jpg";
  if (media_type == "image/png" || media_type == "image/webp" || media_type == "image/gif")
    return media_type.substr(6);
  return "bin";
}

}  // namespace

void Form::AddText(std::string_view name, const Json& value) {
  parts_.push_back({.head = fmt::format("Content-Disposition: form-data; name=\"{}\"\r\n", name),
                    .text = value.is_string() ? value.get<std::string>() : Dump(value)});
}

Status Form::Add(std::string_view name, const Json& value) {
  if (!IsFieldName(name)) {
    return Error(Code::kInvalid,
                 fmt::format("\"options\" has the name \"{}\".", Shorten(ReplaceBadUtf8(name), 80)),
                 {.hint = "A field of this request's form has a name of 1 to 64 letters, digits, \"_\", "
                          "\".\" and \"-\"."});
  }
  if (value.is_null()) return OkStatus();
  if (!value.is_array()) {
    AddText(name, value);
    return OkStatus();
  }
  for (const Json& item : value) AddText(fmt::format("{}[]", name), item);
  return OkStatus();
}

void Form::AddFile(std::string_view name, std::string_view stem, std::string_view media_type,
                   BufferRef bytes) {
  const std::string_view type = IsMediaType(media_type) ? media_type : "application/octet-stream";
  parts_.push_back({.head = fmt::format("Content-Disposition: form-data; name=\"{}\"; filename=\"{}.{}\"\r\n"
                                        "Content-Type: {}\r\n",
                                        name, stem, EndingOf(type), type),
                    .bytes = std::move(bytes)});
}

Form::Encoded Form::Encode(Random* random) const {
  std::string boundary;
  const auto occurs = [&](const Part& part) {
    return part.content().find(boundary) != std::string_view::npos;
  };
  do {
    std::string bytes(16, '\0');
    random->Fill(bytes.data(), bytes.size());
    boundary = "mediagen-" + Hex(bytes);
  } while (std::any_of(parts_.begin(), parts_.end(), occurs));

  Encoded encoded;
  encoded.content_type = "multipart/form-data; boundary=" + boundary;
  size_t size = boundary.size() + 8;
  for (const Part& part : parts_) size += boundary.size() + part.head.size() + part.content().size() + 8;
  encoded.body.reserve(size);
  for (const Part& part : parts_) {
    encoded.body.append("--").append(boundary).append("\r\n").append(part.head).append("\r\n");
    encoded.body.append(part.content()).append("\r\n");
  }
  encoded.body.append("--").append(boundary).append("--\r\n");
  return encoded;
}

}  // namespace mediagen::openai
