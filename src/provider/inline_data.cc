#include "provider/inline_data.h"

#include "base/base64.h"
#include "fmt/format.h"

namespace mediagen {

std::optional<RemoteOutput> InlineOutput(std::string_view base64, std::string_view media_type) {
  StatusOr<std::string> bytes = Base64Decode(base64, /*skip_space=*/true);
  if (!bytes.ok() || bytes->empty()) return std::nullopt;
  RemoteOutput output;
  output.bytes = BufferRef::Own(std::move(*bytes));
  output.media_type = Shorten(media_type, 80);
  return output;
}

std::optional<RemoteOutput> DataUriOutput(std::string_view uri) {
  const size_t comma = uri.find(',');
  if (!uri.starts_with("data:") || comma == std::string_view::npos) return std::nullopt;
  std::string_view head = uri.substr(5, comma - 5);
  constexpr std::string_view kBase64 = ";base64";
  if (!head.ends_with(kBase64)) return std::nullopt;
  head.remove_suffix(kBase64.size());
  return InlineOutput(uri.substr(comma + 1), head.substr(0, head.find(';')));
}

std::string ReferenceUri(const Reference& reference) {
  if (!reference.url.empty()) return reference.url;
  return fmt::format("data:{};base64,{}", reference.media_type, Base64Encode(reference.bytes.view()));
}

}  // namespace mediagen
