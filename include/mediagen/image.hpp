// mediagen for C++20: the codec alone. See image.h; nothing here starts a thread or makes a file.
#ifndef MEDIAGEN_IMAGE_HPP
#define MEDIAGEN_IMAGE_HPP

#include <cstdint>
#include <string_view>
#include <vector>

#include "image.h"
#include "result.hpp"

namespace mediagen {

// A decoded picture: immutable, movable, usable by many threads at once.
class image {
 public:
  static result<bytes> probe(std::string_view picture) {
    return taken<bytes>([&](mediagen_buffer** out, mediagen_error** err) {
      return mediagen_image_probe(detail::str(picture), out, err);
    });
  }
  static result<image> decode(std::string_view picture, std::string_view options = {}) {
    return taken<image>([&](mediagen_image** out, mediagen_error** err) {
      return mediagen_image_decode(detail::str(picture), detail::str(options), out, err);
    });
  }
  // All frames of an animation, in order, with their durations; see mediagen_animation_decode.
  struct frame;
  static result<std::vector<frame>> decode_all(std::string_view picture, std::string_view options = {});
  static result<image> from_pixels(uint32_t width, uint32_t height, uint32_t channels,
                                   std::string_view rows) {
    return taken<image>([&](mediagen_image** out, mediagen_error** err) {
      return mediagen_image_new(width, height, channels, detail::str(rows), out, err);
    });
  }
  static result<image> from_thumbhash(std::string_view hash) {
    return taken<image>([&](mediagen_image** out, mediagen_error** err) {
      return mediagen_image_from_thumbhash(detail::str(hash), out, err);
    });
  }
  explicit image(mediagen_image* adopted) : handle_(adopted) {
    mediagen_image_size(adopted, &width_, &height_, &channels_);
  }

  uint32_t width() const { return width_; }
  uint32_t height() const { return height_; }
  uint32_t channels() const { return channels_; }
  // RGB or RGBA rows without gaps; the picture's own bytes, not a copy.
  bytes pixels() const {
    mediagen_buffer* out = nullptr;
    mediagen_image_pixels(get(), &out);
    return bytes(out);
  }
  result<image> resize(std::string_view options) const {
    return taken<image>([&](mediagen_image** out, mediagen_error** err) {
      return mediagen_image_resize(get(), detail::str(options), out, err);
    });
  }
  result<bytes> encode(std::string_view options = {}) const {
    return taken<bytes>([&](mediagen_buffer** out, mediagen_error** err) {
      return mediagen_image_encode(get(), detail::str(options), out, err);
    });
  }
  result<bytes> thumbhash() const {
    return taken<bytes>([&](mediagen_buffer** out, mediagen_error** err) {
      return mediagen_image_thumbhash(get(), out, err);
    });
  }
  result<bytes> average() const {
    return taken<bytes>(
        [&](mediagen_buffer** out, mediagen_error** err) { return mediagen_image_average(get(), out, err); });
  }
  mediagen_image* get() const { return handle_.get(); }

 private:
  // What a function gave out, or its error.
  template <typename T, typename Function>
  static result<T> taken(Function function);

  detail::handle<mediagen_image, mediagen_image_free> handle_;
  uint32_t width_ = 0, height_ = 0, channels_ = 0;
};

struct image::frame {
  image picture;
  int64_t duration_ms = 0;
};

namespace detail {

template <typename T>
struct raw_of;
template <>
struct raw_of<bytes> {
  using type = mediagen_buffer;
};
template <>
struct raw_of<image> {
  using type = mediagen_image;
};

}  // namespace detail

template <typename T, typename Function>
result<T> image::taken(Function function) {
  typename detail::raw_of<T>::type* out = nullptr;
  mediagen_error* raised = nullptr;
  const int32_t code = function(&out, &raised);
  if (code < 0) return detail::take_error(code, raised);
  return T(out);
}

inline result<std::vector<image::frame>> image::decode_all(std::string_view picture,
                                                           std::string_view options) {
  mediagen_animation* out = nullptr;
  mediagen_error* raised = nullptr;
  int32_t code = mediagen_animation_decode(detail::str(picture), detail::str(options), &out, &raised);
  if (code < 0) return detail::take_error(code, raised);
  const detail::handle<mediagen_animation, mediagen_animation_free> animation(out);
  uint32_t count = 0;
  mediagen_animation_info(out, &count, nullptr);
  std::vector<frame> frames;
  for (uint32_t i = 0; i < count; ++i) {
    mediagen_image* one = nullptr;
    int64_t duration_ms = 0;
    code = mediagen_animation_frame(out, i, &one, &duration_ms, &raised);
    if (code < 0) return detail::take_error(code, raised);
    frames.push_back({image(one), duration_ms});
  }
  return frames;
}

}  // namespace mediagen

#endif
