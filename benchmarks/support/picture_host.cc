#include "support/picture_host.h"

#include <cstdio>
#include <cstdlib>

namespace mediagen::bench {
namespace {

mediagen_str Str(std::string_view text) { return {text.data(), text.size()}; }

// The error by reference: the call that sets it stands among the arguments.
void Check(int32_t code, mediagen_error* const& error) {
  if (code >= 0) return;
  const mediagen_str json = mediagen_error_json(error);
  std::fprintf(stderr, "benchmark: %.*s\n", static_cast<int>(json.size), json.data);
  std::exit(1);
}

}  // namespace

Image Decode(std::string_view bytes, std::string_view options) {
  mediagen_image* image = nullptr;
  mediagen_error* error = nullptr;
  Check(mediagen_image_decode(Str(bytes), Str(options), &image, &error), error);
  return Image(image);
}

Image Resize(const Image& image, std::string_view options) {
  mediagen_image* small = nullptr;
  mediagen_error* error = nullptr;
  Check(mediagen_image_resize(image.get(), Str(options), &small, &error), error);
  return Image(small);
}

Buffer Encode(const Image& image, std::string_view options) {
  mediagen_buffer* bytes = nullptr;
  mediagen_error* error = nullptr;
  Check(mediagen_image_encode(image.get(), Str(options), &bytes, &error), error);
  return Buffer(bytes);
}

Buffer ToBase64(std::string_view bytes) {
  mediagen_buffer* text = nullptr;
  Check(mediagen_base64_encode(Str(bytes), &text), nullptr);
  return Buffer(text);
}

Buffer FromBase64(std::string_view text) {
  mediagen_buffer* bytes = nullptr;
  mediagen_error* error = nullptr;
  Check(mediagen_base64_decode(Str(text), &bytes, &error), error);
  return Buffer(bytes);
}

std::string_view View(const Buffer& buffer) {
  const mediagen_str view = mediagen_buffer_view(buffer.get());
  return {view.data, view.size};
}

}  // namespace mediagen::bench
