// GIF: the first frame and all of them; and behind no GIF's magic, its LZW codes against a decoder that keeps
// every string in full.
#include <string>
#include <vector>

#include "codec/gif_lzw.h"
#include "fuzz/picture.h"

namespace mediagen::fuzz {
namespace {

// The indices that a chain of sub-blocks holds, at most `most`; fewer when the data end or make no sense.
std::string PlainLzw(std::string_view bytes, uint32_t code_size, size_t most) {
  std::string joined;
  for (size_t at = 0; at < bytes.size() && bytes[at] != 0;) {
    const size_t size = static_cast<uint8_t>(bytes[at]);
    joined.append(bytes.substr(at + 1, size));
    at += 1 + size;
  }
  std::vector<std::string> table;
  const size_t clear = size_t{1} << code_size;
  size_t width = 0;
  std::string out, previous;
  const auto restart = [&] {
    table.resize(clear + 2);
    for (size_t i = 0; i < clear; ++i) table[i] = std::string(1, static_cast<char>(i));
    width = code_size + 1;
    previous.clear();
  };
  restart();
  for (size_t bit = 0; out.size() < most && bit + width <= joined.size() * 8;) {
    size_t code = 0;
    for (size_t i = 0; i < width; ++i, ++bit)
      code |= static_cast<size_t>(static_cast<uint8_t>(joined[bit / 8]) >> bit % 8 & 1) << i;
    if (code == clear) {
      restart();
      continue;
    }
    if (code == clear + 1) break;
    if (code > table.size() || (code == table.size() && (previous.empty() || table.size() == 4096))) break;
    const std::string string = code < table.size() ? table[code] : previous + previous[0];
    if (!previous.empty() && table.size() < 4096) table.push_back(previous + string[0]);
    if (table.size() == size_t{1} << width && width < 12) ++width;
    out += string;
    previous = string;
  }
  return out.substr(0, most);
}

// Code size, how many indices are wanted, sub-blocks.
void CheckLzw(std::string_view bytes) {
  if (bytes.size() < 3) return;
  const uint32_t code_size = 1 + static_cast<uint8_t>(bytes[0]) % 8;
  const size_t wanted = size_t{static_cast<uint8_t>(bytes[1])} * static_cast<uint8_t>(bytes[2]);
  const std::string expected = PlainLzw(bytes.substr(3), code_size, wanted);
  std::vector<uint8_t> indices(wanted);
  const Status status = codec::DecodeGifLzw(bytes, 3, code_size, indices);
  Require(status.ok() == (expected.size() == wanted), "all indices or none");
  if (!status.ok()) return CheckRefusal(status);
  Require(std::equal(indices.begin(), indices.end(), reinterpret_cast<const uint8_t*>(expected.data())),
          "the same indices");
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const std::string_view bytes = fuzz::Text(data, size);
  if (Sniff(bytes) != Format::kGif) return fuzz::CheckLzw(bytes), 0;
  const StatusOr<ImageInfo> info = Probe(bytes, fuzz::kLimits);
  if (!info.ok()) return fuzz::CheckRefusal(info.status()), 0;
  const StatusOr<Pixels> pixels = Decode(bytes, fuzz::Stored());
  if (pixels.ok())
    fuzz::CheckSize(*pixels, info->width, info->height);
  else
    fuzz::CheckRefusal(pixels.status());
  fuzz::CheckFrames(bytes, *info, pixels);
  fuzz::CheckShown(bytes, *info, pixels);
  return 0;
}
