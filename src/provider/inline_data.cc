#include "provider/inline_data.h"

#include "base/base64.h"
#include "base/data_uri.h"
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

std::optional<RemoteOutput> DataUriOutput(std::string_view text) {
  const StatusOr<DataUri> uri = ParseDataUri(text);
  if (!uri.ok()) return std::nullopt;
  return InlineOutput(uri->base64, uri->media_type);
}

std::string ReferenceUri(const Reference& reference) {
  if (!reference.url.empty()) return reference.url;
  return fmt::format("data:{};base64,{}", reference.media_type, Base64Encode(reference.bytes.view()));
}

}  // namespace mediagen
