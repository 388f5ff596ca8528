#include "support/quality.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <numbers>

namespace mediagen::bench {
namespace {

double Weight(Kernel kernel, double x) {
  x = std::abs(x);
  if (kernel == Kernel::kCatmullRom) {
    if (x >= 2) return 0;
    return x < 1 ? 1.5 * x * x * x - 2.5 * x * x + 1 : -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2;
  }
  const auto sinc = [](double t) {
    return t == 0 ? 1 : std::sin(std::numbers::pi * t) / (std::numbers::pi * t);
  };
  return x >= 3 ? 0 : sinc(x) * sinc(x / 3);
}

// One line of `from` samples, `step` apart, becomes one of `to` samples.
void ReduceLine(const double* in, uint32_t from, size_t step, double* out, uint32_t to, Kernel kernel) {
  const double ratio = double(from) / to, scale = std::max(1.0, ratio);
  const double support = (kernel == Kernel::kCatmullRom ? 2 : 3) * scale;
  for (uint32_t i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * ratio - 0.5;
    const auto first = static_cast<uint32_t>(std::max(0.0, std::ceil(centre - support)));
    const auto last = static_cast<uint32_t>(std::min(from - 1.0, std::floor(centre + support)));
    double sum = 0, weights = 0;
    for (uint32_t k = first; k <= last; ++k) {
      const double weight = Weight(kernel, (k - centre) / scale);
      sum += weight * in[k * step];
      weights += weight;
    }
    out[i * step] = sum / weights;
  }
}

void CheckSizes(const Reference& reference, const Photo& photo) {
  if (reference.width == photo.width && reference.height == photo.height) return;
  std::fprintf(stderr, "benchmark: a result has %ux%u pixels in place of %ux%u\n", photo.width, photo.height,
               reference.width, reference.height);
  std::exit(1);
}

// BT.601's luma of pixel i.
template <typename Value>
double Luma(const std::vector<Value>& rgb, size_t i) {
  return 0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2];
}

constexpr uint32_t kWindow = 8, kStep = 4;

double SsimAt(const Reference& reference, const Photo& photo, uint32_t left, uint32_t top) {
  double a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  for (uint32_t y = top; y < top + kWindow; ++y) {
    for (uint32_t x = left; x < left + kWindow; ++x) {
      const size_t i = size_t{y} * photo.width + x;
      const double one = Luma(reference.rgb, i), other = Luma(photo.rgb, i);
      a += one, b += other, aa += one * one, bb += other * other, ab += one * other;
    }
  }
  constexpr double kPixels = kWindow * kWindow;
  constexpr double kC1 = 0.01 * 255 * 0.01 * 255, kC2 = 0.03 * 255 * 0.03 * 255;  // the paper's
  a /= kPixels, b /= kPixels;
  const double variances = aa / kPixels - a * a + bb / kPixels - b * b, covariance = ab / kPixels - a * b;
  return (2 * a * b + kC1) * (2 * covariance + kC2) / ((a * a + b * b + kC1) * (variances + kC2));
}

}  // namespace

Reference Exactly(const Photo& photo) {
  return {photo.width, photo.height, std::vector<double>(photo.rgb.begin(), photo.rgb.end())};
}

Reference ReduceExactly(const Photo& source, uint32_t width, uint32_t height, Kernel kernel) {
  const std::vector<double> all(source.rgb.begin(), source.rgb.end());
  std::vector<double> narrow(size_t{width} * source.height * 3);
  for (uint32_t y = 0; y < source.height; ++y) {
    for (size_t c = 0; c < 3; ++c)
      ReduceLine(&all[y * source.stride() + c], source.width, 3, &narrow[size_t{y} * width * 3 + c], width,
                 kernel);
  }
  // A column's samples lie a row apart.
  std::vector<double> small(size_t{width} * 3 * height);
  for (size_t x = 0; x < size_t{width} * 3; ++x)
    ReduceLine(&narrow[x], source.height, size_t{width} * 3, &small[x], height, kernel);
  for (double& value : small) value = std::clamp(value, 0.0, 255.0);
  return {width, height, std::move(small)};
}

double Psnr(const Reference& reference, const Photo& photo) {
  CheckSizes(reference, photo);
  double sum = 0;
  for (size_t i = 0; i < photo.rgb.size(); ++i) {
    const double error = reference.rgb[i] - photo.rgb[i];
    sum += error * error;
  }
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(photo.rgb.size()) / std::max(sum, 1e-9));
}

double Ssim(const Reference& reference, const Photo& photo) {
  CheckSizes(reference, photo);
  double sum = 0;
  size_t windows = 0;
  for (uint32_t y = 0; y + kWindow <= photo.height; y += kStep) {
    for (uint32_t x = 0; x + kWindow <= photo.width; x += kStep, ++windows)
      sum += SsimAt(reference, photo, x, y);
  }
  return sum / static_cast<double>(windows);
}

}  // namespace mediagen::bench
