// Resize: what each fit makes of a picture and a box, then one resampling of a part of the picture to whole
// pixels.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "codec/formats.h"
#include "codec/resample.h"

namespace mediagen {
namespace {

using codec::Region;

// What is drawn: `region` of the source becomes width × height pixels, in the middle of a canvas.
struct Plan {
  Region region;
  uint32_t width, height;
  uint32_t canvas_width, canvas_height;
};

// A side of at least a pixel; what no side can hold becomes the most, which NewPixels refuses.
uint32_t Whole(double side) {
  return static_cast<uint32_t>(std::clamp(std::round(side), 1.0, double(UINT32_MAX)));
}

// The box that is asked for, a missing side taken from the source's aspect ratio.
void CompleteBox(const Pixels& source, const ResizeOptions& options, double* width, double* height) {
  *width = options.width;
  *height = options.height;
  if (options.width == 0) *width = *height * source.width / source.height;
  if (options.height == 0) *height = *width * source.height / source.width;
}

// kCover and kContain keep the box's shape. Where its pixels would be larger than the source's, and that was
// not asked for, the box shrinks.
Plan PlanBox(const Pixels& source, double width, double height, double scale, bool enlarge, bool cover) {
  const double shrink = enlarge ? 1 : std::max(1.0, scale);
  width /= shrink;
  height /= shrink;
  scale /= shrink;
  Plan plan{{0, 0, double(source.width), double(source.height)},
            Whole(width),
            Whole(height),
            Whole(width),
            Whole(height)};
  if (cover) {
    plan.region.width = std::min<double>(source.width, width / scale);
    plan.region.height = std::min<double>(source.height, height / scale);
    plan.region.x = (source.width - plan.region.width) / 2;
    plan.region.y = (source.height - plan.region.height) / 2;
  } else {
    plan.width = std::min(plan.canvas_width, Whole(source.width * scale));
    plan.height = std::min(plan.canvas_height, Whole(source.height * scale));
  }
  return plan;
}

Plan PlanWhole(const Pixels& source, double width, double height) {
  const Region all{0, 0, double(source.width), double(source.height)};
  return {all, Whole(width), Whole(height), Whole(width), Whole(height)};
}

Plan PlanOf(const Pixels& source, const ResizeOptions& options) {
  double width, height;
  CompleteBox(source, options, &width, &height);
  const double across = width / source.width, down = height / source.height;
  const double most = options.enlarge ? INFINITY : 1;
  switch (options.fit) {
    case Fit::kCover:
      return PlanBox(source, width, height, std::max(across, down), options.enlarge, true);
    case Fit::kContain:
      return PlanBox(source, width, height, std::min(across, down), options.enlarge, false);
    case Fit::kFill:
      return PlanWhole(source, source.width * std::min(most, across), source.height * std::min(most, down));
    case Fit::kInside:
    case Fit::kOutside:
      break;
  }
  const double fitted = options.fit == Fit::kInside ? std::min(across, down) : std::max(across, down);
  const double scale = std::min(most, fitted);
  return PlanWhole(source, source.width * scale, source.height * scale);
}

// The picture in the middle of a transparent canvas.
StatusOr<Pixels> Letterbox(const Pixels& picture, uint32_t width, uint32_t height) {
  ASSIGN_OR_RETURN(Pixels canvas, NewPixels(width, height, 4));
  std::memset(canvas.data.get(), 0, canvas.bytes());
  const uint32_t left = (width - picture.width) / 2, top = (height - picture.height) / 2;
  for (uint32_t y = 0; y < picture.height; ++y) {
    const uint8_t* from = picture.row(y);
    uint8_t* to = canvas.row(top + y) + size_t{left} * 4;
    for (uint32_t x = 0; x < picture.width; ++x, from += picture.channels, to += 4) {
      std::memcpy(to, from, 3);
      to[3] = picture.channels == 4 ? from[3] : 255;
    }
  }
  return canvas;
}

}  // namespace

StatusOr<Pixels> Resize(const Pixels& source, const ResizeOptions& options) {
  RETURN_IF_ERROR(codec::CheckPixels(source));
  if (options.width == 0 && options.height == 0) {
    return Error(Code::kInvalid, "a picture cannot be resized to no size",
                 {.hint = "Give a width, a height, or both."});
  }
  const Plan plan = PlanOf(source, options);
  ASSIGN_OR_RETURN(Pixels picture, NewPixels(plan.width, plan.height, source.channels));
  codec::Resample(source, plan.region, &picture);
  if (plan.canvas_width == plan.width && plan.canvas_height == plan.height) return picture;
  return Letterbox(picture, plan.canvas_width, plan.canvas_height);
}

}  // namespace mediagen
