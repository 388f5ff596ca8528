// WebP encoding by libwebp.
#include <webp/encode.h>

#include <memory>
#include <string>

#include "codec/bytes.h"
#include "codec/formats.h"
#include "fmt/format.h"

namespace mediagen::codec {
namespace {

void AppendLe(uint32_t value, int bytes, std::string* out) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

void AppendChunk(std::string_view type, std::string_view data, std::string* out) {
  out->append(type);
  AppendLe(static_cast<uint32_t>(data.size()), 4, out);
  out->append(data);
  if (data.size() % 2 == 1) out->push_back('\0');
}

// The same picture with a profile: the extended form, whose first chunk says what follows (RFC 9649 §2.7).
std::string WithProfile(std::string_view webp, const Pixels& pixels, std::string_view icc) {
  constexpr size_t kContainer = 12, kHead = 8;
  constexpr uint32_t kHasIcc = 0x20, kHasAlpha = 0x10;
  std::string_view chunks = webp.substr(kContainer);
  if (chunks.starts_with("VP8X")) chunks.remove_prefix(kHead + Le32(chunks, 4));
  std::string extended;
  AppendLe(kHasIcc | (pixels.channels == 4 ? kHasAlpha : 0), 4, &extended);
  AppendLe(pixels.width - 1, 3, &extended);
  AppendLe(pixels.height - 1, 3, &extended);
  std::string body("WEBP");
  AppendChunk("VP8X", extended, &body);
  AppendChunk("ICCP", icc, &body);
  body.append(chunks);
  std::string out("RIFF");
  AppendLe(static_cast<uint32_t>(body.size()), 4, &out);
  return out + body;
}

Status Failure(const WebPPicture& picture, bool imported) {
  const bool memory = !imported || picture.error_code == VP8_ENC_ERROR_OUT_OF_MEMORY ||
                      picture.error_code == VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY;
  if (memory) return Error(Code::kOverloaded, "there is no memory to encode a WebP");
  return Error(Code::kInternal,
               fmt::format("WebP was not encoded: libwebp's error {}", static_cast<int>(picture.error_code)));
}

}  // namespace

StatusOr<BufferRef> EncodeWebp(const Pixels& pixels, const EncodeOptions& options) {
  if (pixels.width > WEBP_MAX_DIMENSION || pixels.height > WEBP_MAX_DIMENSION) {
    return Error(Code::kTooLarge,
                 fmt::format("a WebP holds at most {} pixels a side, not {}x{}", WEBP_MAX_DIMENSION,
                             pixels.width, pixels.height),
                 {.hint = "Make the picture smaller, or write a PNG."});
  }
  WebPConfig config;
  WebPPicture picture;
  if (WebPConfigInit(&config) == 0 || WebPPictureInit(&picture) == 0) {
    return Error(Code::kInternal, "libwebp has another version than its headers");
  }
  config.quality = static_cast<float>(options.quality);
  config.method = options.method;
  config.lossless = options.lossless ? 1 : 0;
  std::unique_ptr<WebPPicture, void (*)(WebPPicture*)> free_picture(&picture, WebPPictureFree);
  picture.use_argb = config.lossless;
  picture.width = static_cast<int>(pixels.width);
  picture.height = static_cast<int>(pixels.height);
  const int stride = static_cast<int>(pixels.stride());
  const int imported = pixels.channels == 4 ? WebPPictureImportRGBA(&picture, pixels.data.get(), stride)
                                            : WebPPictureImportRGB(&picture, pixels.data.get(), stride);
  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  const bool encoded = imported != 0 && WebPEncode(&config, &picture) != 0;
  std::shared_ptr<uint8_t> owner(writer.mem, WebPFree);
  if (!encoded) return Failure(picture, imported != 0);
  const std::string_view bytes(reinterpret_cast<const char*>(writer.mem), writer.size);
  if (!options.icc.empty()) return BufferRef::Own(WithProfile(bytes, pixels, options.icc));
  return BufferRef::Alias(bytes, std::move(owner));
}

}  // namespace mediagen::codec
