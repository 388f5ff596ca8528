// EXIF orientation (EXIF 2.32 §4.6.4): 2–4 mirror and turn by 180°, 5–8 swap the sides.
#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/formats.h"

namespace mediagen::codec {
namespace {

constexpr uint32_t kTile = 32;  // both pictures' tiles stay in the first-level cache

// Where the stored picture's x and y go: to the right (or down, when swapped), backwards or not.
struct Turn {
  bool swapped, flip_x, flip_y;
};

Turn TurnOf(int orientation) {
  switch (orientation) {
    case 2:
      return {false, true, false};
    case 3:
      return {false, true, true};
    case 4:
      return {false, false, true};
    case 5:
      return {true, false, false};
    case 6:
      return {true, false, true};
    case 7:
      return {true, true, true};
    default:
      return {true, true, false};  // 8
  }
}

template <int kChannels>
void Copy(const Pixels& from, Turn turn, Pixels* to) {
  for (uint32_t top = 0; top < from.height; top += kTile) {
    for (uint32_t left = 0; left < from.width; left += kTile) {
      const uint32_t bottom = std::min(top + kTile, from.height), right = std::min(left + kTile, from.width);
      for (uint32_t y = top; y < bottom; ++y) {
        const uint8_t* pixel = from.row(y) + size_t{left} * kChannels;
        const uint32_t v = turn.flip_y ? from.height - 1 - y : y;
        for (uint32_t x = left; x < right; ++x, pixel += kChannels) {
          const uint32_t u = turn.flip_x ? from.width - 1 - x : x;
          std::memcpy(to->row(turn.swapped ? u : v) + size_t{turn.swapped ? v : u} * kChannels, pixel,
                      kChannels);
        }
      }
    }
  }
}

}  // namespace

StatusOr<Pixels> Orient(Pixels pixels, int orientation) {
  if (orientation < 2 || orientation > 8) return pixels;
  const Turn turn = TurnOf(orientation);
  ASSIGN_OR_RETURN(Pixels turned, turn.swapped ? NewPixels(pixels.height, pixels.width, pixels.channels)
                                               : NewPixels(pixels.width, pixels.height, pixels.channels));
  if (pixels.channels == 4) {
    Copy<4>(pixels, turn, &turned);
  } else {
    Copy<3>(pixels, turn, &turned);
  }
  return turned;
}

}  // namespace mediagen::codec
