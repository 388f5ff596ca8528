#include "mediagen/image.h"

#include <cstring>
#include <memory>
#include <utility>

#include "base/base64.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "codec/documents.h"
#include "codec/image.h"
#include "fmt/format.h"

using namespace mediagen;
using namespace mediagen::capi;

namespace {

// `work(bytes)` with a picture that came as itself or as text.
template <typename Work>
Status WithPicture(mediagen_str picture, const Work& work) {
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes, PictureFromText(View(picture)));
  return work(bytes ? std::string_view(*bytes) : View(picture));
}

Status HandOut(StatusOr<Pixels> pixels, mediagen_image** out) {
  RETURN_IF_ERROR(pixels.status());
  *out = new mediagen_image(std::make_shared<const Pixels>(*std::move(pixels)));
  return OkStatus();
}

Status HandOut(StatusOr<BufferRef> bytes, mediagen_buffer** out) {
  RETURN_IF_ERROR(bytes.status());
  *out = Export(*std::move(bytes));
  return OkStatus();
}

StatusOr<Pixels> PixelsOf(uint32_t width, uint32_t height, uint32_t channels, std::string_view bytes) {
  ASSIGN_OR_RETURN(Pixels pixels,
                   NewPixels(width, height, channels == 3 || channels == 4 ? int(channels) : 0));
  if (bytes.size() != pixels.bytes()) {
    return Error(Code::kInvalid, fmt::format("{}x{} pixels of {} channels are {} bytes, not {}.", width,
                                             height, channels, pixels.bytes(), bytes.size()));
  }
  std::memcpy(pixels.data.get(), bytes.data(), bytes.size());
  return pixels;
}

}  // namespace

extern "C" {

int32_t mediagen_image_probe(mediagen_str bytes, mediagen_buffer** json, mediagen_error** err) {
  return Guard(err, {Need("bytes", bytes), Out("json", json)}, [&]() -> Status {
    return WithPicture(bytes, [&](std::string_view picture) -> Status {
      ASSIGN_OR_RETURN(const ImageInfo info, Probe(picture));
      *json = Export(BufferRef::Own(ProbeDocument(info, picture.size())));
      return OkStatus();
    });
  });
}

int32_t mediagen_image_decode(mediagen_str bytes, mediagen_str options, mediagen_image** out,
                              mediagen_error** err) {
  return Guard(err, {Need("bytes", bytes), Need("options", options), Out("out", out)}, [&]() -> Status {
    ASSIGN_OR_RETURN(const DecodeOptions decode, ParseDecodeOptions(View(options)));
    return WithPicture(bytes,
                       [&](std::string_view picture) { return HandOut(Decode(picture, decode), out); });
  });
}

int32_t mediagen_animation_decode(mediagen_str bytes, mediagen_str options, mediagen_animation** out,
                                  mediagen_error** err) {
  return Guard(err, {Need("bytes", bytes), Need("options", options), Out("out", out)}, [&]() -> Status {
    ASSIGN_OR_RETURN(const DecodeOptions decode, ParseDecodeOptions(View(options)));
    return WithPicture(bytes, [&](std::string_view picture) -> Status {
      ASSIGN_OR_RETURN(Animation decoded, DecodeFrames(picture, decode));
      auto animation = std::make_unique<mediagen_animation>();
      animation->loops = static_cast<uint32_t>(decoded.loops);
      for (Frame& frame : decoded.frames) {
        animation->frames.push_back(
            {std::make_shared<const Pixels>(std::move(frame.pixels)), frame.duration_ms});
      }
      *out = animation.release();
      return OkStatus();
    });
  });
}

void mediagen_animation_free(mediagen_animation* animation) { Free(animation); }

int32_t mediagen_animation_info(const mediagen_animation* animation, uint32_t* frames, uint32_t* loops) {
  return Guard(nullptr, {Need("animation", animation)}, [&] {
    if (frames != nullptr) *frames = static_cast<uint32_t>(animation->frames.size());
    if (loops != nullptr) *loops = animation->loops;
    return MEDIAGEN_OK;
  });
}

int32_t mediagen_animation_frame(const mediagen_animation* animation, uint32_t index, mediagen_image** out,
                                 int64_t* duration_ms, mediagen_error** err) {
  return Guard(err, {Need("animation", animation), Out("out", out)}, [&]() -> Status {
    if (index >= animation->frames.size()) {
      return Error(Code::kNotFound, fmt::format("The animation has {} frames; there is no frame {}.",
                                                animation->frames.size(), index));
    }
    const auto& frame = animation->frames[index];
    if (duration_ms != nullptr) *duration_ms = frame.duration_ms;
    *out = new mediagen_image(frame.pixels);
    return OkStatus();
  });
}

int32_t mediagen_image_new(uint32_t width, uint32_t height, uint32_t channels, mediagen_str pixels,
                           mediagen_image** out, mediagen_error** err) {
  return Guard(err, {Need("pixels", pixels), Out("out", out)},
               [&] { return HandOut(PixelsOf(width, height, channels, View(pixels)), out); });
}

void mediagen_image_free(mediagen_image* image) { Free(image); }

int32_t mediagen_image_size(const mediagen_image* image, uint32_t* width, uint32_t* height,
                            uint32_t* channels) {
  return Guard(nullptr, {Need("image", image)}, [&] {
    const Pixels& pixels = *image->pixels;
    if (width != nullptr) *width = pixels.width;
    if (height != nullptr) *height = pixels.height;
    if (channels != nullptr) *channels = static_cast<uint32_t>(pixels.channels);
    return MEDIAGEN_OK;
  });
}

int32_t mediagen_image_pixels(const mediagen_image* image, mediagen_buffer** out) {
  return Guard(nullptr, {Need("image", image), Out("out", out)}, [&] {
    const auto& pixels = image->pixels;
    *out = Export(
        BufferRef::Alias({reinterpret_cast<const char*>(pixels->data.get()), pixels->bytes()}, pixels));
    return MEDIAGEN_OK;
  });
}

int32_t mediagen_image_resize(const mediagen_image* image, mediagen_str options, mediagen_image** out,
                              mediagen_error** err) {
  return Guard(err, {Need("image", image), Need("options", options), Out("out", out)}, [&]() -> Status {
    ASSIGN_OR_RETURN(const ResizeOptions resize, ParseResizeOptions(View(options)));
    return HandOut(Resize(*image->pixels, resize), out);
  });
}

int32_t mediagen_image_encode(const mediagen_image* image, mediagen_str options, mediagen_buffer** out,
                              mediagen_error** err) {
  return Guard(err, {Need("image", image), Need("options", options), Out("out", out)}, [&]() -> Status {
    ASSIGN_OR_RETURN(const EncodeOptions encode, ParseEncodeOptions(View(options)));
    return HandOut(Encode(*image->pixels, encode), out);
  });
}

int32_t mediagen_image_thumbhash(const mediagen_image* image, mediagen_buffer** out, mediagen_error** err) {
  return Guard(err, {Need("image", image), Out("out", out)}, [&]() -> Status {
    ASSIGN_OR_RETURN(std::string hash, ThumbHash(*image->pixels));
    *out = Export(BufferRef::Own(std::move(hash)));
    return OkStatus();
  });
}

int32_t mediagen_image_from_thumbhash(mediagen_str hash, mediagen_image** out, mediagen_error** err) {
  return Guard(err, {Need("hash", hash), Out("out", out)},
               [&] { return HandOut(ThumbHashPixels(View(hash)), out); });
}

int32_t mediagen_image_average(const mediagen_image* image, mediagen_buffer** json, mediagen_error** err) {
  return Guard(err, {Need("image", image), Out("json", json)}, [&]() -> Status {
    ASSIGN_OR_RETURN(const Colour colour, AverageColour(*image->pixels));
    *json = Export(BufferRef::Own(ColourDocument(colour)));
    return OkStatus();
  });
}

int32_t mediagen_base64_encode(mediagen_str bytes, mediagen_buffer** out) {
  return Guard(nullptr, {Need("bytes", bytes), Out("out", out)}, [&] {
    *out = Export(BufferRef::Own(Base64Encode(View(bytes))));
    return MEDIAGEN_OK;
  });
}

int32_t mediagen_base64_decode(mediagen_str text, mediagen_buffer** out, mediagen_error** err) {
  return Guard(err, {Need("text", text), Out("out", out)}, [&]() -> Status {
    ASSIGN_OR_RETURN(std::string bytes, Base64Decode(View(text), true));
    *out = Export(BufferRef::Own(std::move(bytes)));
    return OkStatus();
  });
}

void mediagen_trim(void) { TrimPixels(); }

}  // extern "C"
