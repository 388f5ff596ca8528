// PictureHost: mediagen's codec through its C ABI, as a host calls it. An error ends the program with a
// sentence. Thread-safe, as the C ABI is.
#pragma once

#include <mediagen/mediagen.h>

#include <memory>
#include <string>
#include <string_view>

namespace mediagen::bench {

struct FreeImage {
  void operator()(mediagen_image* image) const { mediagen_image_free(image); }
};
using Image = std::unique_ptr<mediagen_image, FreeImage>;

struct FreeBuffer {
  void operator()(mediagen_buffer* buffer) const { mediagen_buffer_free(buffer); }
};
using Buffer = std::unique_ptr<mediagen_buffer, FreeBuffer>;

// `options` as <mediagen/image.h> lists them.
Image Decode(std::string_view bytes, std::string_view options = {});
Image Resize(const Image& image, std::string_view options);
Buffer Encode(const Image& image, std::string_view options);
Buffer ToBase64(std::string_view bytes);
Buffer FromBase64(std::string_view text);

std::string_view View(const Buffer& buffer);

}  // namespace mediagen::bench
