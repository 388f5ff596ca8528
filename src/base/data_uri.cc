#include "base/data_uri.h"

#include "base/base64.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr std::string_view kScheme = "data:", kBase64 = ";base64";
constexpr size_t kMaxHead = 256;  // a type with a parameter or two

Status Refuse(std::string_view why) {
  return Error(Code::kInvalid, fmt::format("The data URL {}.", why),
               {.hint = "Pictures come as data:image/png;base64,…"});
}

}  // namespace

bool IsDataUri(std::string_view text) { return EqualsIgnoreCase(text.substr(0, kScheme.size()), kScheme); }

StatusOr<DataUri> ParseDataUri(std::string_view text) {
  if (!IsDataUri(text)) return Refuse("does not begin with \"data:\"");
  text.remove_prefix(kScheme.size());
  const size_t comma = text.substr(0, kMaxHead).find(',');
  if (comma == text.npos) return Refuse("has no comma behind its type");
  std::string_view head = text.substr(0, comma);
  if (head.size() < kBase64.size() || !EqualsIgnoreCase(head.substr(head.size() - kBase64.size()), kBase64)) {
    return Refuse("holds no base64");
  }
  head.remove_suffix(kBase64.size());
  return DataUri{head.substr(0, head.find(';')), text.substr(comma + 1)};
}

StatusOr<std::string> DecodeDataUri(const DataUri& uri, uint64_t max_bytes) {
  // Four characters are three bytes at most.
  if (uri.base64.size() / 4 > max_bytes / 3 + 1) {
    return Error(Code::kTooLarge, fmt::format("The data URL has {} characters; at most {} bytes are taken.",
                                              uri.base64.size(), max_bytes));
  }
  ASSIGN_OR_RETURN(std::string bytes, Base64Decode(uri.base64, /*skip_space=*/true));
  if (bytes.size() > max_bytes) {
    return Error(Code::kTooLarge,
                 fmt::format("The data URL holds {} bytes; at most {} are taken.", bytes.size(), max_bytes));
  }
  return bytes;
}

}  // namespace mediagen
