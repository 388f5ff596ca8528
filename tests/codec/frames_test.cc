// All frames of animations: what WebP's are, and the limits that every format's have.
#include "codec/frames.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "codec/pictures.h"

namespace mediagen::codec {
namespace {

using namespace std::string_literals;

std::string U24(uint32_t value) { return Le32(value).substr(0, 3); }

constexpr uint8_t kDispose = 1, kNoBlend = 2;  // the flags of a frame (RFC 9649 §2.7.1.2)

std::string WebpFrame(const Pixels& pixels, uint32_t left, uint32_t top, uint32_t duration_ms,
                      uint8_t flags) {
  const std::string head = U24(left / 2) + U24(top / 2) + U24(pixels.width - 1) + U24(pixels.height - 1) +
                           U24(duration_ms) + static_cast<char>(flags);
  return RiffChunk("ANMF", head + Encoded(pixels, Format::kWebp).substr(12));
}

std::string Webp(uint32_t width, uint32_t height, uint16_t loops, const std::string& frames) {
  const std::string anim =
      RiffChunk("ANIM", "\x11\x22\x33\xFF"s + Le32(loops).substr(0, 2));  // a blue ground
  return WebpOf(Vp8x(0x12, width, height) + anim + frames);
}

std::string U16(uint32_t value) { return Le32(value).substr(0, 2); }

std::string GifHead(uint32_t width, uint32_t height) {
  return "GIF89a" + U16(width) + U16(height) + "\x80\0\0\0\0\0\xFF\xFF\xFF"s;
}

// 2×2 black pixels.
const std::string kGifFrame = ",\0\0\0\0\2\0\2\0\0\2\2\x84\x51\0"s;

// Such frames on a screen of that size or another.
std::string Gif(uint32_t width, uint32_t height, size_t frames) {
  std::string out = GifHead(width, height);
  for (size_t i = 0; i < frames; ++i) out += kGifFrame;
  return out + ";";
}

std::string Delay(uint32_t hundredths) { return "\x21\xF9\4\0"s + U16(hundredths) + "\0\0"s; }

std::string Loop(uint32_t repeats, const std::string& name = "NETSCAPE2.0") {
  return "\x21\xFF\x0B" + name + "\3\1"s + U16(repeats) + "\0"s;
}

StatusOr<Animation> Frames(const std::string& bytes, const DecodeLimits& limits = {}) {
  ASSIGN_OR_RETURN(const ImageInfo info, Probe(bytes));
  if (info.format == Format::kGif) return DecodeGifFrames(bytes, info, limits);
  return DecodeWebpFrames(bytes, info, limits);
}

std::string TooLarge(const std::string& bytes, const DecodeLimits& limits) {
  const auto frames = Frames(bytes, limits);
  CHECK(CodeOf(frames.status()) == Code::kTooLarge);
  CHECK_FALSE(InfoOf(frames.status()).hint.empty());
  return InfoOf(frames.status()).message;
}

// `upper` laid on `canvas`, whose pixels are opaque or clear; `blend` keeps them where `upper` is clear.
void Lay(const Pixels& upper, uint32_t left, uint32_t top, bool blend, Pixels* canvas) {
  for (uint32_t y = 0; y < upper.height; ++y) {
    for (uint32_t x = 0; x < upper.width; ++x) {
      const auto colour = At(upper, x, y);
      if (blend && colour[3] == 0) continue;
      for (size_t c = 0; c < 4; ++c)
        canvas->row(top + y)[4 * (left + x) + c] = static_cast<uint8_t>(colour[c]);
    }
  }
}

// Opaque and clear pixels by seed; the clear ones are black, as the encoder makes them.
Pixels Holes(uint32_t width, uint32_t height, uint64_t seed) {
  Pixels pixels = Noise(width, height, 4, seed);
  for (size_t i = 0; i < pixels.bytes(); i += 4) {
    const bool clear = pixels.data[i + 3] < 128;
    pixels.data[i + 3] = clear ? 0 : 255;
    if (clear) pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = 0;
  }
  return pixels;
}

}  // namespace

TEST_CASE("a WebP's frames are blended and disposed of as they say, on a transparent canvas") {
  const Pixels clear = Flat(12, 10, {0, 0, 0, 0}, 4);
  for (uint8_t first_flags = 0; first_flags < 4; ++first_flags) {
    for (uint8_t second_flags = 0; second_flags < 4; ++second_flags) {
      const Pixels a = Holes(6, 5, 1), b = Holes(8, 6, 2), c = Noise(3, 3, 3, 3);
      const auto animation =
          Frames(Webp(12, 10, 0,
                      WebpFrame(a, 2, 4, 40, first_flags) + WebpFrame(b, 4, 2, 50, second_flags) +
                          WebpFrame(c, 0, 0, 60, 0)));
      REQUIRE(animation.ok());
      REQUIRE(animation->frames.size() == 3);
      Pixels canvas = Flat(12, 10, {0, 0, 0, 0}, 4);
      Lay(a, 2, 4, (first_flags & kNoBlend) == 0, &canvas);
      CHECK(Same(animation->frames[0].pixels, canvas));
      if ((first_flags & kDispose) != 0) Lay(Flat(6, 5, {0, 0, 0, 0}, 4), 2, 4, false, &canvas);
      Lay(b, 4, 2, (second_flags & kNoBlend) == 0, &canvas);
      CHECK(Same(animation->frames[1].pixels, canvas));
      if ((second_flags & kDispose) != 0) Lay(Flat(8, 6, {0, 0, 0, 0}, 4), 4, 2, false, &canvas);
      Lay(c, 0, 0, true, &canvas);
      CHECK(Same(animation->frames[2].pixels, canvas));
    }
  }
}

TEST_CASE("a WebP's durations and loops are read as they stand, however long they add up") {
  std::string frames;
  for (int i = 0; i < 200; ++i) frames += WebpFrame(Flat(2, 2, {9, 9, 9, 255}, 3), 0, 0, 0xFFFFFF, 0);
  const auto animation = Frames(Webp(2, 2, 7, frames + WebpFrame(Flat(2, 2, {8, 8, 8, 255}, 3), 0, 0, 0, 0)));
  REQUIRE(animation.ok());
  REQUIRE(animation->frames.size() == 201);
  for (int i = 0; i < 200; ++i) CHECK(animation->frames[static_cast<size_t>(i)].duration_ms == 0xFFFFFF);
  CHECK(animation->frames.back().duration_ms == 0);
  CHECK(animation->loops == 7);
}

TEST_CASE("a picture that does not move is one frame") {
  const Pixels pixels = Holes(7, 5, 3);
  const auto webp = Frames(Encoded(pixels, Format::kWebp));
  REQUIRE(webp.ok());
  REQUIRE(webp->frames.size() == 1);
  CHECK(Same(webp->frames[0].pixels, pixels));
  CHECK(webp->frames[0].duration_ms == 0);
  const auto gif = Frames(Gif(2, 2, 1));
  REQUIRE(gif.ok());
  CHECK(gif->frames.size() == 1);
  CHECK(gif->loops == 1);
}

TEST_CASE("more frames than the limit are refused, with the limit") {
  const std::string frame = WebpFrame(Flat(2, 2, {9, 9, 9, 255}, 3), 0, 0, 10, 0);
  const std::string webp = Webp(2, 2, 0, frame + frame + frame);
  for (const std::string& bytes : {webp, Gif(2, 2, 3)}) {
    CHECK(Frames(bytes, {.max_frames = 3})->frames.size() == 3);
    CHECK(TooLarge(bytes, {.max_frames = 2}).find("has 3 frames; at most 2 are decoded") !=
          std::string::npos);
    CHECK_FALSE(TooLarge(bytes, {.max_frames = 0}).empty());
    CHECK_FALSE(TooLarge(bytes, {.max_frames = -1}).empty());
  }
  CHECK(TooLarge(Gif(2, 2, 100'000), {}) == "the GIF has 100000 frames; at most 1000 are decoded");
}

TEST_CASE("frames that are too large together are refused, with the limit") {
  const std::string frame = WebpFrame(Flat(2, 2, {9, 9, 9, 255}, 3), 0, 0, 10, 0);
  std::string three = frame;
  three.append(frame).append(frame);
  for (const std::string& bytes : {Webp(10, 10, 0, three), Gif(10, 10, 3)}) {
    CHECK(Frames(bytes, {.max_animation_bytes = 1200})->frames.size() == 3);
    CHECK(TooLarge(bytes, {.max_animation_bytes = 1199})
              .find("has 3 frames of 10x10 pixels; at most 1199 bytes are decoded") != std::string::npos);
  }
  // 1000 small frames on a large canvas: 100 GB, of which nothing is allocated.
  CHECK(TooLarge(Gif(5000, 5000, 1000), {}).find("at most 536870912 bytes") != std::string::npos);
  CHECK(TooLarge(Gif(65535, 1000, 1000), {.max_animation_bytes = uint64_t{1} << 35}).find("1000 frames") !=
        std::string::npos);
}

TEST_CASE("the limits hold for what is decoded, whatever the probe said") {
  const std::string frame = WebpFrame(Flat(2, 2, {9, 9, 9, 255}, 3), 0, 0, 10, 0);
  const std::string webp = Webp(2, 2, 0, frame + frame + frame), gif = Gif(2, 2, 3);
  for (const DecodeLimits& limits :
       {DecodeLimits{.max_frames = 2}, DecodeLimits{.max_animation_bytes = 47}}) {
    const ImageInfo webp_info = {.format = Format::kWebp, .width = 2, .height = 2};
    const ImageInfo gif_info = {.format = Format::kGif, .width = 2, .height = 2};
    CHECK(CodeOf(DecodeWebpFrames(webp, webp_info, limits).status()) == Code::kTooLarge);
    CHECK(CodeOf(DecodeGifFrames(gif, gif_info, limits).status()) == Code::kTooLarge);
  }
  const ImageInfo other = {.format = Format::kWebp, .width = 2, .height = 3};
  CHECK(InfoOf(DecodeWebpFrames(webp, other, {}).status()).message ==
        "WebP is broken: its headers give two sizes");
}

TEST_CASE("a GIF's delays are hundredths of a second; none, and the shortest, are 100 ms") {
  std::string bytes = GifHead(2, 2);
  for (uint32_t hundredths : {0, 1, 2, 10, 65535}) bytes += Delay(hundredths) + kGifFrame;
  const auto animation = Frames(bytes + kGifFrame + ";");  // the last one has no delay of its own
  REQUIRE(animation.ok());
  REQUIRE(animation->frames.size() == 6);
  const int64_t durations_ms[] = {100, 100, 20, 100, 655350, 100};
  for (size_t i = 0; i < 6; ++i) CHECK(animation->frames[i].duration_ms == durations_ms[i]);
}

TEST_CASE("a GIF's loop extension counts repeats; without it an animation is shown once") {
  const auto loops = [](const std::string& extension) {
    return Frames(GifHead(2, 2) + extension + kGifFrame + ";")->loops;
  };
  CHECK(loops("") == 1);
  CHECK(loops(Loop(0)) == 0);
  CHECK(loops(Loop(4)) == 5);
  CHECK(loops(Loop(65535)) == 65536);
  CHECK(loops(Loop(3, "ANIMEXTS1.0")) == 4);
  CHECK(loops(Loop(3, "SOMETHING11")) == 1);
  const std::string buffer_size = "\5\2\0\0\0\0"s;  // another of its sub-blocks
  CHECK(loops("\x21\xFF\x0BNETSCAPE2.0" + buffer_size + "\3\1\6\0\0"s) == 7);
  CHECK(loops("\x21\xFF\x0BNETSCAPE2.0\0"s) == 1);
  CHECK(Frames(GifHead(2, 2) + kGifFrame + Loop(8) + ";")->loops == 9);  // wherever it stands
}

TEST_CASE("a GIF's comments and unknown extensions are passed over; a plain text uses up its control") {
  const std::string comment = "\x21\xFE\xFF"s + std::string(255, 'c') + "\1c\0"s, unknown = "\x21\x77\0"s,
                    text = "\x21\1\x0C"s + std::string(12, '\0') + "\2hi\0"s,
                    short_control = "\x21\xF9\2\1\2\0"s;
  const auto duration_ms = [](const std::string& extensions) {
    const auto animation = Frames(GifHead(2, 2) + extensions + kGifFrame + ";");
    REQUIRE(animation.ok());
    REQUIRE(animation->frames.size() == 1);
    return animation->frames[0].duration_ms;
  };
  CHECK(duration_ms(comment + unknown + text) == 100);
  CHECK(duration_ms(Delay(300) + comment + unknown) == 3000);
  CHECK(duration_ms(Delay(300) + text) == 100);
  CHECK(duration_ms(Delay(300) + short_control) == 3000);  // it says nothing
}

TEST_CASE("a GIF's frame far larger than its canvas is refused before it costs memory or time") {
  std::string frame = kGifFrame;
  frame.replace(5, 4, "\xFF\xFF\xFF\xFF");
  const std::string bytes = GifHead(1, 1) + frame + ";";
  const auto first = [&](const DecodeLimits& limits) {
    return DecodeGif(bytes, Probe(bytes).value(), limits).status();
  };
  CHECK(CodeOf(first({})) == Code::kTooLarge);
  CHECK(InfoOf(first({.max_pixels = 4'294'770'690})).message ==
        "the GIF's first frame has 65535x65535 pixels; at most 4294770690 pixels are decoded");
  CHECK(CodeOf(Decode(Gif(1, 1, 1), {.limits = {.max_pixels = 3}}).status()) == Code::kTooLarge);
  CHECK(Decode(Gif(1, 1, 1), {.limits = {.max_pixels = 4}}).ok());
  CHECK(TooLarge(bytes, {}).find("more than 536870912 bytes") != std::string::npos);
  // Its pixels count wherever they are: 3 frames of 2×2 on a canvas of 1×1.
  CHECK(Frames(Gif(1, 1, 3), {.max_animation_bytes = 48}).ok());
  CHECK(TooLarge(Gif(1, 1, 3), {.max_animation_bytes = 47}).find("more than 47 bytes") != std::string::npos);
}

TEST_CASE("an animated WebP that is cut off anywhere is invalid") {
  const std::string bytes =
      Webp(12, 10, 0, WebpFrame(Holes(6, 5, 1), 2, 4, 40, 0) + WebpFrame(Holes(7, 5, 2), 0, 0, 40, 0));
  REQUIRE(Frames(bytes).ok());
  CHECK(Frames(bytes + "trailer")->frames.size() == 2);
  for (size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK(CodeOf(Frames(bytes.substr(0, size)).status()) == Code::kInvalid);
  }
}

TEST_CASE("a WebP with a frame that leaves the canvas, or with none, is invalid") {
  const std::string frame = WebpFrame(Holes(6, 5, 1), 8, 4, 40, 0);
  CHECK(CodeOf(Frames(Webp(12, 10, 0, frame)).status()) == Code::kInvalid);
  CHECK(CodeOf(Frames(Webp(12, 10, 0, "")).status()) == Code::kInvalid);
}

TEST_CASE("a changed animation is an animation or an error, never a crash") {
  const std::string bytes =
      Webp(12, 10, 0, WebpFrame(Holes(6, 5, 1), 2, 4, 40, 1) + WebpFrame(Noise(8, 6, 4, 2), 0, 0, 40, 2));
  const auto random = SeededRandom(20261121);
  for (int i = 0; i < 3000; ++i) {
    std::string changed = bytes;
    for (uint64_t flips = 1 + random->Below(3); flips > 0; --flips) {
      const size_t at = random->Below(changed.size());
      changed[at] = static_cast<char>(changed[at] ^ 1 << random->Below(8));
    }
    const auto frames = Frames(changed, {.max_frames = 10, .max_animation_bytes = 1 << 20});
    const Code code = CodeOf(frames.status());
    const bool expected = code == Code::kOk || code == Code::kInvalid || code == Code::kTooLarge;
    CHECK_MESSAGE(expected, InfoOf(frames.status()).message);
    if (frames.ok()) CHECK_FALSE(frames->frames.empty());
  }
}

}  // namespace mediagen::codec
