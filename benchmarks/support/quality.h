// How good a reduced or encoded picture is, by plain code in double precision.
#pragma once

#include <cstdint>
#include <vector>

#include "support/photo.h"

namespace mediagen::bench {

enum class Kernel { kCatmullRom, kLanczos3 };

// RGB in doubles, 0–255.
struct Reference {
  uint32_t width = 0, height = 0;
  std::vector<double> rgb;
};

// The whole of `source` reduced by one separable convolution, nothing rounded in between: the kernel widened
// by the reduction, samples at the pixels' centres, weights that sum to 1 and end at the picture's edge.
Reference ReduceExactly(const Photo& source, uint32_t width, uint32_t height, Kernel kernel);
// The picture itself.
Reference Exactly(const Photo& photo);

// Peak signal to noise over all three channels, dB. Pictures of two sizes end the program.
double Psnr(const Reference& reference, const Photo& photo);

// The structural similarity of the luma (Wang et al., IEEE TIP 13(4), 2004), over windows of 8×8 pixels that
// begin at every fourth pixel, each of whose pixels counts the same; the mean of the windows.
double Ssim(const Reference& reference, const Photo& photo);

}  // namespace mediagen::bench
