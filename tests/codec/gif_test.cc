// GIF: codes, rows, frames on their canvas. The writer and the expected canvases below share nothing with the
// decoder.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "codec/frames.h"
#include "codec/gif_lzw.h"
#include "codec/pictures.h"

namespace mediagen::codec {
namespace {

using namespace std::string_literals;

using Colour = std::array<int, 4>;
using Table = std::vector<Colour>;

std::string Le(uint32_t value, size_t bytes = 2) { return Le32(value).substr(0, bytes); }

class BitWriter {
 public:
  void Put(uint32_t code, int width) {
    for (int i = 0; i < width; ++i, ++bits_) {
      if (bits_ % 8 == 0) bytes_.push_back('\0');
      bytes_.back() = static_cast<char>(bytes_.back() | (code >> i & 1) << bits_ % 8);
    }
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  size_t bits_ = 0;
};

// What a writer may do differently.
struct Style {
  bool compress = true;         // else every index is its own code, with clears that keep codes short
  bool clear_first = true;      // the first code is a clear
  bool clear_when_full = true;  // else the full table stays
  bool end_code = true;
};

std::string Codes(const std::string& indices, int size, const Style& style) {
  const uint32_t clear = 1u << size;
  BitWriter out;
  int width = size + 1;
  if (style.clear_first) out.Put(clear, width);
  std::map<std::pair<uint32_t, uint8_t>, uint32_t> table;
  uint32_t next = clear + 2, written = 0;
  for (size_t i = 0; i < indices.size(); ++written) {
    if (!style.compress && written == clear - 2) {
      out.Put(clear, width);
      next = clear + 2, width = size + 1, written = 0;
    }
    uint32_t code = static_cast<uint8_t>(indices[i++]);
    while (style.compress && i < indices.size()) {
      const auto longer = table.find({code, static_cast<uint8_t>(indices[i])});
      if (longer == table.end()) break;
      code = longer->second, ++i;
    }
    out.Put(code, width);
    if (i == indices.size()) break;
    if (next == 4096) {
      if (!style.clear_when_full) continue;
      out.Put(clear, width);
      table.clear();
      next = clear + 2, width = size + 1;
      continue;
    }
    if (next == 1u << width) ++width;
    table[{code, static_cast<uint8_t>(indices[i])}] = next++;
  }
  if (style.end_code) out.Put(clear + 1, next == 1u << width && width < 12 ? width + 1 : width);
  return out.bytes();
}

std::string SubBlocks(const std::string& data, size_t most = 255) {
  std::string out;
  for (size_t at = 0; at < data.size(); at += most) {
    const std::string part = data.substr(at, most);
    out += Le(static_cast<uint32_t>(part.size()), 1) + part;
  }
  return out + "\0"s;
}

// A frame as it is to be written; `indices` row by row from the top.
struct Image {
  uint32_t left = 0, top = 0, width = 0, height = 0;
  std::string indices;
  int bits = 8;
  bool interlaced = false;
  Table colours;  // empty: the screen's
  int transparent = -1, disposal = 0;
  uint32_t delay = 10;
  bool control = true;
  Style style = {};
};

std::string ColoursOf(const Table& table) {
  std::string out;
  for (const Colour& colour : table)
    for (int c = 0; c < 3; ++c) out.push_back(static_cast<char>(colour[c]));
  return out;
}

uint32_t TableFlags(const Table& table) {
  uint32_t power = 0;
  while (size_t{2} << power < table.size()) ++power;
  return table.empty() ? 0 : 0x80 | power;
}

std::string Control(int disposal, uint32_t delay, int transparent) {
  return "\x21\xF9\4"s + Le(static_cast<uint32_t>(disposal << 2 | (transparent >= 0)), 1) + Le(delay) +
         Le(static_cast<uint32_t>(std::max(transparent, 0)), 1) + "\0"s;
}

std::string Interlaced(const Image& image) {
  std::vector<uint32_t> rows(image.height);
  for (uint32_t y = 0; y < image.height; ++y) rows[y] = y;
  const auto pass = [](uint32_t y) { return y % 8 == 0 ? 1 : y % 4 == 0 ? 2 : y % 2 == 0 ? 3 : 4; };
  std::stable_sort(rows.begin(), rows.end(), [&](uint32_t a, uint32_t b) { return pass(a) < pass(b); });
  std::string out;
  for (uint32_t y : rows) out += image.indices.substr(size_t{y} * image.width, image.width);
  return out;
}

std::string Descriptor(const Image& image) {
  return ","s + Le(image.left) + Le(image.top) + Le(image.width) + Le(image.height) +
         Le(TableFlags(image.colours) | (image.interlaced ? 0x40 : 0), 1) + ColoursOf(image.colours);
}

std::string Written(const Image& image) {
  const int size = std::max(2, image.bits);
  return (image.control ? Control(image.disposal, image.delay, image.transparent) : "") + Descriptor(image) +
         Le(static_cast<uint32_t>(size), 1) +
         SubBlocks(Codes(image.interlaced ? Interlaced(image) : image.indices, size, image.style));
}

std::string Screen(uint32_t width, uint32_t height, const Table& colours) {
  return "GIF89a" + Le(width) + Le(height) + Le(TableFlags(colours), 1) + "\0\0"s + ColoursOf(colours);
}

std::string Gif(uint32_t width, uint32_t height, const Table& colours, const std::vector<Image>& images) {
  std::string out = Screen(width, height, colours);
  for (const Image& image : images) out += Written(image);
  return out + ";";
}

Table Colours(int bits, uint64_t seed = 1) {
  Table table;
  const auto random = SeededRandom(seed);
  for (int i = 0; i < 1 << bits; ++i) {
    const int value = static_cast<int>(random->Below(1 << 24));
    table.push_back({value & 255, value >> 8 & 255, value >> 16, 255});
  }
  return table;
}

enum class Motif { kNoise, kFlat, kStripes };

Image Drawn(uint32_t width, uint32_t height, int bits, Motif motif, uint64_t seed = 1) {
  Image image = {.width = width, .height = height, .bits = bits};
  const auto random = SeededRandom(seed);
  for (uint32_t i = 0; i < width * height; ++i) {
    const uint64_t value = motif == Motif::kNoise ? random->Next() : motif == Motif::kFlat ? 1 : i / 5;
    image.indices.push_back(static_cast<char>(value & ((1u << bits) - 1)));
  }
  return image;
}

// The canvas as a list of colours, drawn pixel by pixel.
struct Canvas {
  uint32_t width, height;
  std::vector<Colour> pixels = std::vector<Colour>(size_t{width} * height, Colour{0, 0, 0, 0});

  template <typename Change>
  void ForEach(const Image& image, Change change) {
    for (uint32_t y = 0; y < image.height; ++y)
      for (uint32_t x = 0; x < image.width; ++x)
        if (image.left + x < width && image.top + y < height)
          change(&pixels[(image.top + y) * width + image.left + x],
                 static_cast<uint8_t>(image.indices[y * image.width + x]));
  }
  void Draw(const Image& image, const Table& screen) {
    const Table& table = image.colours.empty() ? screen : image.colours;
    ForEach(image, [&](Colour* pixel, int index) {
      if (index == image.transparent) return;
      *pixel = static_cast<size_t>(index) < table.size() ? table[static_cast<size_t>(index)]
                                                         : Colour{0, 0, 0, 255};
    });
  }
  void Clear(const Image& image) {
    ForEach(image, [](Colour* pixel, int) { *pixel = {0, 0, 0, 0}; });
  }
  bool SameAs(const Pixels& other) const {
    if (other.width != width || other.height != height) return false;
    for (uint32_t i = 0; i < width * height; ++i)
      if (At(other, i % width, i / width) != pixels[i]) return false;
    return true;
  }
};

StatusOr<Pixels> First(const std::string& bytes) {
  ASSIGN_OR_RETURN(const ImageInfo info, Probe(bytes, {.max_pixels = 1 << 22}));
  return DecodeGif(bytes, info, {});
}

StatusOr<Animation> All(const std::string& bytes, const DecodeLimits& limits = {}) {
  ASSIGN_OR_RETURN(const ImageInfo info, Probe(bytes, {.max_pixels = 1 << 22}));
  return DecodeGifFrames(bytes, info, limits);
}

template <typename T>
std::string Message(const StatusOr<T>& result) {
  CHECK(CodeOf(result.status()) == Code::kInvalid);
  return InfoOf(result.status()).message;
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The first frame is `image` on a canvas of this size.
void CheckFirst(uint32_t width, uint32_t height, const Table& colours, const Image& image) {
  Canvas canvas = {width, height};
  canvas.Draw(image, colours);
  const auto pixels = First(Gif(width, height, colours, {image}));
  REQUIRE_MESSAGE(pixels.ok(), InfoOf(pixels.status()).message);
  CHECK(canvas.SameAs(*pixels));
  const bool opaque =
      std::none_of(canvas.pixels.begin(), canvas.pixels.end(), [](auto& p) { return p[3] == 0; });
  CHECK(pixels->channels == (opaque ? 3 : 4));
}

// A comment and two frames, the second one partial, transparent and interlaced.
std::string SmallAnimation() {
  Image first = Drawn(9, 7, 3, Motif::kNoise), second = Drawn(5, 5, 3, Motif::kStripes);
  second.left = 2, second.top = 1, second.transparent = 1;
  second.interlaced = true, second.colours = Colours(3, 9);
  return Screen(9, 7, Colours(3)) + "\x21\xFE\4note\0"s + Written(first) + Written(second) + ";";
}

}  // namespace

TEST_CASE("a GIF that another program wrote decodes to its picture") {
  const std::string bytes =
      "GIF89a\x0A\0\x0A\0\x91\0\0\xFF\xFF\xFF\xFF\0\0\0\0\xFF\0\0\0\x21\xF9\4\0\0\0\0\0\x2C\0\0\0\0\x0A\0\x0A"
      "\0\0"
      "\2\x16\x8C\x2D\x99\x87\x2A\x1C\xDC\x33\xA0\2\x75\xEC\x95\xFA\xA8\xDE\x60\x8C\4\x91\x4C\1\0;"s;
  const std::string rows =
      "1111122222 1111122222 1111122222 1110000222 1110000222 "
      "2220000111 2220000111 2222211111 2222211111 2222211111 ";
  const auto pixels = First(bytes);
  REQUIRE(pixels.ok());
  CHECK(pixels->channels == 3);
  const Colour colours[] = {{255, 255, 255, 255}, {255, 0, 0, 255}, {0, 0, 255, 255}};
  for (uint32_t y = 0; y < 10; ++y)
    for (uint32_t x = 0; x < 10; ++x) CHECK(At(*pixels, x, y) == colours[rows[y * 11 + x] - '0']);
}

TEST_CASE("every depth decodes, whatever a writer does with codes") {
  const Style styles[] = {{},
                          {.compress = false},
                          {.clear_first = false},
                          {.clear_when_full = false},
                          {.clear_first = false, .clear_when_full = false, .end_code = false}};
  for (int bits = 1; bits <= 8; ++bits) {
    for (const Style& style : styles) {
      for (Motif motif : {Motif::kNoise, Motif::kFlat, Motif::kStripes}) {
        for (const auto& size : {std::pair{1u, 1u}, {3u, 3u}, {17u, 9u}, {211u, 157u}}) {
          CAPTURE(bits);
          CAPTURE(size.first);
          CAPTURE(static_cast<int>(motif));
          Image image = Drawn(size.first, size.second, bits, motif);
          image.style = style;
          CheckFirst(size.first, size.second, Colours(bits), image);
        }
      }
    }
  }
}

TEST_CASE("codes of one bit are read, though writers use two") {
  const std::string indices = Drawn(100, 20, 1, Motif::kNoise).indices;
  std::vector<uint8_t> out(indices.size());
  REQUIRE(DecodeGifLzw(SubBlocks(Codes(indices, 1, {})), 0, 1, out).ok());
  CHECK(std::equal(out.begin(), out.end(), indices.begin()));
}

TEST_CASE("the lengths of sub-blocks do not matter") {
  const std::string indices = Drawn(100, 80, 8, Motif::kNoise).indices, codes = Codes(indices, 8, {});
  for (size_t most : {1, 2, 7, 8, 9, 15, 64, 255}) {
    std::vector<uint8_t> out(indices.size());
    REQUIRE(DecodeGifLzw("xyz" + SubBlocks(codes, most), 3, 8, out).ok());
    CHECK(std::equal(out.begin(), out.end(), reinterpret_cast<const uint8_t*>(indices.data())));
  }
}

TEST_CASE("interlaced rows find their places") {
  for (uint32_t height = 1; height <= 20; ++height) {
    Image image = Drawn(5, height, 4, Motif::kNoise, height);
    image.interlaced = true;
    CheckFirst(5, height, Colours(4), image);
    image.transparent = 3;
    image.left = image.top = 2;
    CheckFirst(6, 11, Colours(4), image);
  }
}

TEST_CASE("a frame's own colours win, and an index past the table is black") {
  Image image = Drawn(20, 10, 4, Motif::kNoise);
  image.colours = Colours(2, 5);
  CheckFirst(20, 10, Colours(4), image);
  CheckFirst(20, 10, {}, image);
  image.colours.clear();
  CheckFirst(20, 10, Colours(1), image);
  CHECK(Message(First(Gif(20, 10, {}, {image}))) == "GIF is broken: a frame has no colour table");
}

TEST_CASE("a picture is RGB when every pixel is opaque, and has alpha when one is not") {
  Image image = Drawn(9, 8, 2, Motif::kNoise);
  image.transparent = 2;
  CheckFirst(9, 8, Colours(2), image);
  image.transparent = 7;  // a colour that no pixel has
  CheckFirst(9, 8, Colours(2), image);
  CHECK(First(Gif(9, 8, Colours(2), {image}))->channels == 3);
  image.width = 8, image.indices.resize(64);  // a column is left free
  CheckFirst(9, 8, Colours(2), image);
  CHECK(First(Gif(9, 8, Colours(2), {image}))->channels == 4);
  Image wide = Drawn(4, 3, 2, Motif::kFlat);
  wide.indices = "\1\1\1\0"s + "\1\1\1\0"s + "\0\0\0\0"s, wide.transparent = 0;  // seen nowhere on 3×2
  CheckFirst(3, 2, Colours(2), wide);
  CHECK(First(Gif(3, 2, Colours(2), {wide}))->channels == 3);
}

TEST_CASE("what a frame has outside of the canvas is cut off") {
  const Table colours = Colours(4);
  for (auto [left, top] : {std::pair{0u, 0u}, {3u, 2u}, {9u, 0u}, {0u, 7u}, {8u, 6u}, {65535u, 65535u}}) {
    for (auto [width, height] : {std::pair{2u, 2u}, {30u, 3u}, {4u, 40u}, {30u, 40u}, {0u, 5u}, {5u, 0u}}) {
      Image image = Drawn(width, height, 4, Motif::kNoise);
      image.left = left, image.top = top;
      for (int transparent : {-1, 3}) {
        image.transparent = transparent;
        CheckFirst(9, 7, colours, image);
      }
    }
  }
}

TEST_CASE("frames are drawn upon each other, and disposed of as they say") {
  const auto random = SeededRandom(7);
  const Table colours = Colours(3);
  for (int round = 0; round < 60; ++round) {
    std::vector<Image> images;
    for (int i = 0; i < 8; ++i) {
      const auto side = [&] { return static_cast<uint32_t>(random->Below(14)); };
      Image image = Drawn(side(), side(), 3, Motif::kNoise, random->Next());
      image.left = side(), image.top = side(), image.interlaced = random->Below(2) == 0;
      image.transparent = static_cast<int>(random->Below(10)) - 2;
      image.disposal = static_cast<int>(random->Below(8));
      if (random->Below(3) == 0) image.colours = Colours(3, random->Next());
      images.push_back(image);
    }
    const auto animation = All(Gif(12, 10, colours, images));
    REQUIRE(animation.ok());
    REQUIRE(animation->frames.size() == images.size());
    Canvas canvas = {12, 10};
    for (size_t i = 0; i < images.size(); ++i) {
      const Canvas before = canvas;
      canvas.Draw(images[i], colours);
      CHECK(animation->frames[i].pixels.channels == 4);
      CHECK(canvas.SameAs(animation->frames[i].pixels));
      if (images[i].disposal == 2) canvas.Clear(images[i]);
      if (images[i].disposal == 3 || images[i].disposal == 4) canvas = before;
    }
  }
}

TEST_CASE("a file may lack its end, and anything may stand behind it") {
  const std::string bytes = SmallAnimation(), whole = bytes.substr(0, bytes.size() - 1);
  for (const std::string& file : {bytes, whole, bytes + "trailer", bytes + bytes, whole + "\xAA\xBB"s}) {
    CHECK(First(file).ok());
    CHECK(All(file)->frames.size() == 2);
  }
  CHECK(All(whole + Control(0, 5, 1) + ";")->frames.size() == 2);  // a control without a frame
  CHECK(Message(All(whole + Control(0, 5, 1))).find("GIF is truncated at byte") == 0);
}

TEST_CASE("a GIF that is cut off anywhere is invalid, unless it ends with a frame") {
  const std::string bytes = SmallAnimation();
  const Pixels first = First(bytes).value();
  // Here the first frame is complete.
  const size_t second = bytes.find("\x21\xF9", bytes.find("\x21\xF9") + 1);
  size_t complete = 0;
  for (size_t size = 6; size < bytes.size(); ++size) {  // with less there is no magic
    CAPTURE(size);
    const std::string part = bytes.substr(0, size);
    const auto picture = First(part);
    if (picture.ok()) CHECK(Same(*picture, first));
    if (picture.ok() && complete == 0) complete = size;
    CHECK(picture.ok() == (complete > 0));
    if (!picture.ok()) CHECK(Message(picture).find("GIF is truncated at byte " + std::to_string(size)) == 0);
    const auto animation = All(part);
    if (size == second || size + 1 == bytes.size()) {
      REQUIRE(animation.ok());
      CHECK(animation->frames.size() == (size == second ? 1 : 2));
    } else {
      CHECK(CodeOf(animation.status()) == Code::kInvalid);
    }
  }
  // Of the frame's data only the end code's last bits and the end of the sub-blocks can be missing.
  CHECK(complete >= second - 3);
  CHECK(complete <= second);
}

TEST_CASE("a frame with too few pixels is truncated, one with too many is cut off") {
  Image image = Drawn(6, 5, 3, Motif::kNoise);
  Image few = image, many = image;
  few.indices.resize(29);
  many.indices += std::string(100'000, '\2');
  const Table colours = Colours(3);
  CHECK(Has(Message(First(Gif(6, 5, colours, {few}))), "a frame has 29 of its 30 pixels"));
  CHECK(Has(Message(All(Gif(6, 5, colours, {image, few}))), "a frame has 29 of"));
  few.style.end_code = false;
  CHECK(Has(Message(First(Gif(6, 5, colours, {few}))), "a frame has 29 of"));
  CheckFirst(6, 5, colours, many);
  CHECK(All(Gif(6, 5, colours, {many, image}))->frames.size() == 2);
}

TEST_CASE("codes that are not in the table are broken") {
  const auto decode = [](std::vector<std::pair<uint32_t, int>> codes) {
    BitWriter out;
    for (auto [code, width] : codes) out.Put(code, width);
    std::vector<uint8_t> indices(8);
    return DecodeGifLzw(SubBlocks(out.bytes()), 0, 2, indices);
  };
  CHECK(decode({{4, 3}, {1, 3}, {6, 3}, {7, 3}, {7, 4}}).ok());  // each names what is put in with it
  for (const auto& status : {decode({{4, 3}, {6, 3}}), decode({{7, 3}}), decode({{4, 3}, {1, 3}, {7, 3}}),
                             decode({{4, 3}, {1, 3}, {4, 3}, {6, 3}})}) {
    CHECK(CodeOf(status) == Code::kInvalid);
    CHECK(Has(InfoOf(status).message, "is not in the table yet"));
  }
}

TEST_CASE("what is no GIF behind its screen is invalid, and says why") {
  const std::string head = Screen(2, 2, Colours(2));
  CHECK(Message(First(head + ";")) == "GIF is broken: it has no frame");
  CHECK(Message(All(head + ";")) == "GIF is broken: it has no frame");
  CHECK(Message(First(head + "what")) == "GIF is broken: byte 25 begins no block");
  CHECK(Message(First(head)) == "GIF is truncated at byte 25: there is no frame behind its headers");
  std::string frame = Written(Drawn(2, 2, 2, Motif::kFlat));
  for (char size : {'\0', '\x09', '\xFF'}) {
    frame[18] = size;
    CHECK(Message(First(head + frame)).find("GIF is broken: a frame's pixels have") == 0);
  }
}

TEST_CASE("a changed GIF is a picture or an error, never a crash") {
  const std::string small = SmallAnimation();
  Image large = Drawn(40, 30, 8, Motif::kStripes);
  const std::string bytes[] = {small, Gif(40, 30, Colours(8), {large, large})};
  const auto random = SeededRandom(20261121);
  int pictures = 0, errors = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = bytes[i % 2];
    for (uint64_t flips = 1 + random->Below(4); flips > 0; --flips) {
      const size_t at = random->Below(changed.size());
      changed[at] = static_cast<char>(changed[at] ^ 1 << random->Below(8));
    }
    const auto first = First(changed);
    const auto all = All(changed, {.max_frames = 10, .max_animation_bytes = 1 << 22});
    for (const Status& status : {first.status(), all.status()}) {
      const Code code = CodeOf(status);
      const bool expected = code == Code::kOk || code == Code::kInvalid || code == Code::kTooLarge;
      CHECK_MESSAGE(expected, InfoOf(status).message);
    }
    if (all.ok()) CHECK(first.ok());
    if (all.ok() && first.ok()) CHECK(all->frames[0].pixels.width == first->width);
    first.ok() ? ++pictures : ++errors;
  }
  CHECK(pictures > 1000);
  CHECK(errors > 1000);
}

}  // namespace mediagen::codec
