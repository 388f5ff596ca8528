// GIF87a/89a (W3C, "Graphics Interchange Format version 89a"): blocks, frames on their canvas, disposal.
// Where the standard leaves a choice or browsers agree on another one, what browsers do.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "codec/bytes.h"
#include "codec/frames.h"
#include "codec/gif_blocks.h"
#include "codec/gif_lzw.h"
#include "fmt/format.h"

namespace mediagen::codec {
namespace {

enum class Disposal { kKeep, kClear, kRestore };

// What a graphic control extension says of the frame behind it (§23).
struct Control {
  Disposal disposal = Disposal::kKeep;
  int transparent = -1;  // an index; -1: none
  int64_t duration_ms = 100;
};

// An image descriptor (§20) and what belongs to it.
struct FrameHeader {
  uint32_t left = 0, top = 0, width = 0, height = 0;
  bool interlaced = false;
  Control control;
  std::string_view colours;  // three bytes each
  uint32_t code_size = 0;
  size_t data = 0;  // where the sub-blocks begin

  uint64_t area() const { return uint64_t{width} * height; }
  // The columns and rows of the frame that a canvas shows.
  uint32_t seen_width(uint32_t canvas) const { return left < canvas ? std::min(width, canvas - left) : 0; }
  uint32_t seen_height(uint32_t canvas) const { return top < canvas ? std::min(height, canvas - top) : 0; }
};

Control ReadControl(std::string_view data) {
  Control control;
  // 4 is reserved, but encoders have written it for 3, and browsers take it so.
  const uint32_t flags = U8(data, 0), disposal = flags >> 2 & 7;
  if (disposal == 2) control.disposal = Disposal::kClear;
  if (disposal == 3 || disposal == 4) control.disposal = Disposal::kRestore;
  if ((flags & 1) != 0) control.transparent = static_cast<int>(U8(data, 3));
  // As fast as can be was meant for the machines of 1990: browsers show such frames for 100 ms.
  if (const uint32_t hundredths = Le16(data, 1); hundredths > 1)
    control.duration_ms = 10 * int64_t{hundredths};
  return control;
}

// Reads the blocks of a file, one frame's header at a time.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {
    constexpr size_t kHeader = 13;
    const size_t size = ColourTableBytes(U8(bytes, 10));
    colours_ = Slice(bytes, kHeader, size);
    at_ = kHeader + size;
  }

  // Moves on to the next frame's header; false when the file has no more. A file without a frame is an error.
  StatusOr<bool> NextFrame(FrameHeader* frame);
  // Moves behind the frame's data.
  Status SkipData(const FrameHeader& frame) { return SkipSubBlocks(frame.data); }

  // How often all frames are shown; 0: forever. Complete once there is no more frame.
  int loops() const { return loops_; }

 private:
  Status ReadExtension(Control* control);
  StatusOr<FrameHeader> ReadDescriptor(const Control& control) const;
  void ReadLoops(size_t at);
  Status SkipSubBlocks(size_t at);

  std::string_view bytes_, colours_;
  size_t at_ = 0;
  uint64_t frames_ = 0;
  int loops_ = 1;
};

StatusOr<bool> Reader::NextFrame(FrameHeader* frame) {
  constexpr uint32_t kExtension = 0x21, kImage = 0x2C, kTrailer = 0x3B;
  Control control;
  bool complete = frames_ > 0;  // the file may end here
  for (; at_ < bytes_.size(); complete = false) {
    const uint32_t block = U8(bytes_, at_);
    if (block == kImage) {
      ASSIGN_OR_RETURN(*frame, ReadDescriptor(control));
      ++frames_;
      return true;
    }
    if (block != kExtension) {
      // Behind a frame, what is no block ends the file as the trailer does.
      if (frames_ > 0) return false;
      return Broken(Format::kGif,
                    block == kTrailer ? "it has no frame" : fmt::format("byte {} begins no block", at_));
    }
    RETURN_IF_ERROR(ReadExtension(&control));
  }
  if (complete) return false;
  return Truncated(Format::kGif, bytes_.size(), "there is no frame behind its headers");
}

Status Reader::ReadExtension(Control* control) {
  constexpr uint32_t kPlainText = 0x01, kGraphicControl = 0xF9, kApplication = 0xFF;
  const uint32_t label = U8(bytes_, at_ + 1), size = U8(bytes_, at_ + 2);
  const size_t data = at_ + 3;
  RETURN_IF_ERROR(SkipSubBlocks(at_ + 2));  // so what is read below is there
  if (label == kGraphicControl && size >= 4) *control = ReadControl(Slice(bytes_, data, size));
  if (label == kPlainText) *control = {};  // it was the text's, which nobody draws
  if (label == kApplication && size == 11) {
    const std::string_view application = Slice(bytes_, data, size);
    if (application == "NETSCAPE2.0" || application == "ANIMEXTS1.0") ReadLoops(data + size);
  }
  return OkStatus();
}

void Reader::ReadLoops(size_t at) {
  for (; U8(bytes_, at) != 0; at += 1 + U8(bytes_, at)) {
    if (U8(bytes_, at) < 3 || (U8(bytes_, at + 1) & 7) != 1) continue;
    const int repeats = static_cast<int>(Le16(bytes_, at + 2));
    loops_ = repeats == 0 ? 0 : repeats + 1;  // it counts what comes after the first time
  }
}

StatusOr<FrameHeader> Reader::ReadDescriptor(const Control& control) const {
  constexpr size_t kDescriptor = 10;
  const uint32_t flags = U8(bytes_, at_ + 9);
  const size_t table = at_ + kDescriptor, size = ColourTableBytes(flags);
  if (table + size >= bytes_.size())
    return Truncated(Format::kGif, bytes_.size(), "a frame's header is not complete");
  FrameHeader frame;
  frame.left = Le16(bytes_, at_ + 1);
  frame.top = Le16(bytes_, at_ + 3);
  frame.width = Le16(bytes_, at_ + 5);
  frame.height = Le16(bytes_, at_ + 7);
  frame.interlaced = (flags & 0x40) != 0;
  frame.control = control;
  frame.colours = size > 0 ? Slice(bytes_, table, size) : colours_;
  frame.code_size = U8(bytes_, table + size);
  frame.data = table + size + 1;
  if (frame.colours.empty()) return Broken(Format::kGif, "a frame has no colour table");
  if (frame.code_size < 1 || frame.code_size > 8)
    return Broken(Format::kGif, fmt::format("a frame's pixels have {} bits", frame.code_size));
  return frame;
}

Status Reader::SkipSubBlocks(size_t at) {
  while (U8(bytes_, at) != 0) at += 1 + U8(bytes_, at);
  if (at >= bytes_.size()) return Truncated(Format::kGif, bytes_.size(), "a block does not end");
  at_ = at + 1;
  return OkStatus();
}

// One byte a pixel. The memory serves frame after frame.
class Indices {
 public:
  Status Decode(std::string_view bytes, const FrameHeader& frame) {
    const size_t size = static_cast<size_t>(frame.area());
    if (size > capacity_) {
      capacity_ = 0;
      data_.reset();  // never both
      data_.reset(new (std::nothrow) uint8_t[size]);
      if (!data_) return Error(Code::kOverloaded, "there is no memory to decode a GIF");
      capacity_ = size;
    }
    return DecodeGifLzw(bytes, frame.data, frame.code_size, {data_.get(), size});
  }
  const uint8_t* data() const { return data_.get(); }

 private:
  std::unique_ptr<uint8_t[]> data_;
  size_t capacity_ = 0;
};

// Calls visit(y, indices) for the rows of a frame in the order in which they are stored (appendix E).
template <typename Visit>
void ForEachRow(const FrameHeader& frame, const uint8_t* indices, Visit visit) {
  struct Pass {
    uint32_t first, step;
  };
  static constexpr Pass kInterlaced[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}}, kPlain[] = {{0, 1}};
  for (const Pass& pass :
       frame.interlaced ? std::span<const Pass>(kInterlaced) : std::span<const Pass>(kPlain))
    for (uint32_t y = pass.first; y < frame.height; y += pass.step, indices += frame.width) visit(y, indices);
}

// Whether the frame hides every pixel of the canvas.
bool Covers(const FrameHeader& frame, const uint8_t* indices, const ImageInfo& canvas) {
  if (frame.left > 0 || frame.top > 0 || frame.width < canvas.width || frame.height < canvas.height)
    return false;
  bool covers = true;
  ForEachRow(frame, indices, [&](uint32_t y, const uint8_t* row) {
    if (covers && y < canvas.height && frame.control.transparent >= 0)
      covers = std::memchr(row, frame.control.transparent, canvas.width) == nullptr;
  });
  return covers;
}

using Palette = std::array<std::array<uint8_t, 4>, 256>;

// An index past the table is black.
Palette PaletteOf(const FrameHeader& frame) {
  Palette palette;
  palette.fill({0, 0, 0, 255});
  for (size_t i = 0; i < frame.colours.size(); ++i)
    palette[i / 3][i % 3] = static_cast<uint8_t>(frame.colours[i]);
  return palette;
}

// Sets `count` pixels of a canvas that nothing transparent is drawn on.
template <size_t kChannels>
void DrawOpaque(const uint8_t* row, uint32_t count, const Palette& palette, uint8_t* out) {
  // Four bytes are one store; the last pixel of a row has no more room than its own.
  for (uint32_t x = 0; x + 1 < count; ++x) std::memcpy(out + kChannels * x, palette[row[x]].data(), 4);
  if (count > 0) std::memcpy(out + kChannels * (count - 1), palette[row[count - 1]].data(), kChannels);
}

void DrawThrough(const uint8_t* row, uint32_t count, const Palette& palette, int transparent, uint8_t* out) {
  for (uint32_t x = 0; x < count; ++x)
    if (row[x] != transparent) std::memcpy(out + size_t{4} * x, palette[row[x]].data(), 4);
}

// Draws a frame on an RGBA canvas, or one that covers it on RGB.
void Draw(const FrameHeader& frame, const uint8_t* indices, Pixels* canvas) {
  const Palette palette = PaletteOf(frame);
  const uint32_t columns = frame.seen_width(canvas->width), rows = frame.seen_height(canvas->height);
  if (columns == 0) return;
  const size_t left = frame.left * static_cast<size_t>(canvas->channels);
  ForEachRow(frame, indices, [&](uint32_t y, const uint8_t* row) {
    if (y >= rows) return;
    uint8_t* out = canvas->row(frame.top + y) + left;
    if (canvas->channels == 3)
      DrawOpaque<3>(row, columns, palette, out);
    else if (frame.control.transparent < 0)
      DrawOpaque<4>(row, columns, palette, out);
    else
      DrawThrough(row, columns, palette, frame.control.transparent, out);
  });
}

void Clear(const FrameHeader& frame, Pixels* canvas) {
  const size_t left = size_t{4} * frame.left, size = size_t{4} * frame.seen_width(canvas->width);
  if (size == 0) return;
  for (uint32_t y = 0; y < frame.seen_height(canvas->height); ++y)
    std::memset(canvas->row(frame.top + y) + left, 0, size);
}

// Puts frame upon frame.
class Composition {
 public:
  explicit Composition(const ImageInfo& info) : info_(info) {}

  // The canvas with `frame` on it. `last` is what the call before returned; nullptr for the first frame.
  StatusOr<Pixels> Add(const FrameHeader& frame, const uint8_t* indices, const Pixels* last) {
    ASSIGN_OR_RETURN(Pixels canvas, NewPixels(info_.width, info_.height, 4));
    if (last == nullptr)
      std::memset(canvas.data.get(), 0, canvas.bytes());
    else
      std::memcpy(canvas.data.get(), (restore_ ? under_ : *last).data.get(), canvas.bytes());
    if (clear_) Clear(drawn_, &canvas);
    restore_ = frame.control.disposal == Disposal::kRestore;
    clear_ = frame.control.disposal == Disposal::kClear;
    drawn_ = frame;
    if (restore_) {
      if (!under_.data) {
        ASSIGN_OR_RETURN(under_, NewPixels(info_.width, info_.height, 4));
      }
      std::memcpy(under_.data.get(), canvas.data.get(), canvas.bytes());
    }
    Draw(frame, indices, &canvas);
    return canvas;
  }

 private:
  const ImageInfo& info_;
  Pixels under_;  // the canvas before the last frame, when that one is to go
  FrameHeader drawn_;
  bool restore_ = false, clear_ = false;
};

}  // namespace

StatusOr<Pixels> DecodeGif(std::string_view bytes, const ImageInfo& info, const DecodeLimits& limits) {
  Reader reader(bytes);
  FrameHeader frame;
  RETURN_IF_ERROR(reader.NextFrame(&frame).status());
  if (frame.area() > limits.max_pixels) {
    return Error(Code::kTooLarge,
                 fmt::format("the GIF's first frame has {}x{} pixels; at most {} pixels are decoded",
                             frame.width, frame.height, limits.max_pixels),
                 {.hint = "Send a smaller picture."});
  }
  Indices indices;
  RETURN_IF_ERROR(indices.Decode(bytes, frame));
  if (Covers(frame, indices.data(), info)) {
    ASSIGN_OR_RETURN(Pixels pixels, NewPixels(info.width, info.height, 3));
    Draw(frame, indices.data(), &pixels);
    return pixels;
  }
  return Composition(info).Add(frame, indices.data(), nullptr);
}

StatusOr<Animation> DecodeGifFrames(std::string_view bytes, const ImageInfo& info,
                                    const DecodeLimits& limits) {
  RETURN_IF_ERROR(CheckFrames(info, static_cast<uint64_t>(info.frames), limits));
  const uint64_t canvas = uint64_t{info.width} * info.height;
  Reader reader(bytes);
  FrameHeader frame;
  Indices indices;
  Composition composition(info);
  Animation animation;
  for (uint64_t decoded = 0;;) {
    ASSIGN_OR_RETURN(const bool more, reader.NextFrame(&frame));
    if (!more) break;
    RETURN_IF_ERROR(CheckFrames(info, animation.frames.size() + 1, limits));
    decoded += 4 * std::max(canvas, frame.area());
    if (decoded > limits.max_animation_bytes) {
      return Error(Code::kTooLarge,
                   fmt::format("the GIF's frames have more than {} bytes together; no more are decoded",
                               limits.max_animation_bytes),
                   {.hint = "Send a shorter or smaller animation."});
    }
    RETURN_IF_ERROR(indices.Decode(bytes, frame));
    RETURN_IF_ERROR(reader.SkipData(frame));
    const Pixels* last = animation.frames.empty() ? nullptr : &animation.frames.back().pixels;
    ASSIGN_OR_RETURN(Pixels pixels, composition.Add(frame, indices.data(), last));
    animation.frames.push_back({std::move(pixels), frame.control.duration_ms});
  }
  animation.loops = reader.loops();
  return animation;
}

}  // namespace mediagen::codec
