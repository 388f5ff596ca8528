// Resize: what each fit makes of a picture and a box, then one resampling of a part of the picture to whole
// pixels.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "codec/formats.h"
#include "codec/resample.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

using codec::Region;

// What is drawn: `region` of the source becomes width × height pixels, somewhere on a canvas.
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
Plan PlanBox(const Pixels& source, double width, double height, double scale, const ResizeOptions& options) {
  const double shrink = options.enlarge ? 1 : std::max(1.0, scale);
  width /= shrink;
  height /= shrink;
  scale /= shrink;
  Plan plan{{0, 0, double(source.width), double(source.height)},
            Whole(width),
            Whole(height),
            Whole(width),
            Whole(height)};
  if (options.fit == Fit::kCover) {
    plan.region.width = std::min<double>(source.width, width / scale);
    plan.region.height = std::min<double>(source.height, height / scale);
    plan.region.x = (source.width - plan.region.width) * options.x;
    plan.region.y = (source.height - plan.region.height) * options.y;
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
      return PlanBox(source, width, height, std::max(across, down), options);
    case Fit::kContain:
      return PlanBox(source, width, height, std::min(across, down), options);
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

// The picture on a transparent canvas.
StatusOr<Pixels> Letterbox(const Pixels& picture, uint32_t width, uint32_t height,
                           const ResizeOptions& options) {
  ASSIGN_OR_RETURN(Pixels canvas, NewPixels(width, height, 4));
  std::memset(canvas.data.get(), 0, canvas.bytes());
  const auto before = [](uint32_t room, double share) { return static_cast<uint32_t>(room * share); };
  const uint32_t left = before(width - picture.width, options.x),
                 top = before(height - picture.height, options.y);
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

Status CheckOptions(const ResizeOptions& options) {
  if (options.width == 0 && options.height == 0) {
    return Error(Code::kInvalid, "a picture cannot be resized to no size",
                 {.hint = "Give a width, a height, or both."});
  }
  if (options.x >= 0 && options.x <= 1 && options.y >= 0 && options.y <= 1) return OkStatus();
  return Error(Code::kInvalid, fmt::format("{}, {} is no position in a picture", options.x, options.y),
               {.hint = "Positions go from 0 (left, top) to 1 (right, bottom)."});
}

// `region` of `source` as plan.width × plan.height pixels.
StatusOr<Pixels> Draw(const Pixels& source, const Region& region, const Plan& plan,
                      const ResizeOptions& options) {
  ASSIGN_OR_RETURN(Pixels picture, NewPixels(plan.width, plan.height, source.channels));
  if (options.linear_light)
    codec::ResampleLight(source, region, options.filter, &picture);
  else
    codec::Resample(source, region, options.filter, &picture);
  return picture;
}

StatusOr<Pixels> Place(Pixels picture, const Plan& plan, const ResizeOptions& options) {
  if (plan.canvas_width == plan.width && plan.canvas_height == plan.height) return picture;
  return Letterbox(picture, plan.canvas_width, plan.canvas_height, options);
}

// Whether `b` may be made of what was drawn by `a`: the same part of the source in the same way, and small
// enough that a filter over the one leaves what a filter over the other would.
bool MayFollow(const Plan& a, const ResizeOptions& how_a, const Plan& b, const ResizeOptions& how_b) {
  const auto near = [](double one, double other) { return std::abs(one - other) < 0.5; };
  return near(a.region.x, b.region.x) && near(a.region.y, b.region.y) &&
         near(a.region.width, b.region.width) && near(a.region.height, b.region.height) &&
         a.width >= 2 * b.width && a.height >= 2 * b.height && how_a.filter == how_b.filter &&
         how_a.linear_light == how_b.linear_light;
}

}  // namespace

StatusOr<Pixels> Resize(const Pixels& source, const ResizeOptions& options) {
  RETURN_IF_ERROR(codec::CheckPixels(source));
  RETURN_IF_ERROR(CheckOptions(options));
  const Plan plan = PlanOf(source, options);
  ASSIGN_OR_RETURN(Pixels picture, Draw(source, plan.region, plan, options));
  return Place(std::move(picture), plan, options);
}

StatusOr<std::vector<Pixels>> ResizeAll(const Pixels& source, std::span<const ResizeOptions> sizes) {
  RETURN_IF_ERROR(codec::CheckPixels(source));
  std::vector<Plan> plans;
  for (const ResizeOptions& options : sizes) {
    RETURN_IF_ERROR(CheckOptions(options));
    plans.push_back(PlanOf(source, options));
  }
  std::vector<size_t> order(sizes.size());  // the largest first
  std::iota(order.begin(), order.end(), size_t{0});
  const auto area = [&](size_t i) { return uint64_t{plans[i].width} * plans[i].height; };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return area(a) > area(b); });
  std::vector<Pixels> drawn(sizes.size());
  for (size_t k = 0; k < order.size(); ++k) {
    const size_t i = order[k];
    const Pixels* from = &source;
    Region region = plans[i].region;
    for (size_t j = k; j-- > 0;) {  // the smallest that will do
      const size_t larger = order[j];
      if (!MayFollow(plans[larger], sizes[larger], plans[i], sizes[i])) continue;
      from = &drawn[larger];
      region = {0, 0, double(from->width), double(from->height)};
      break;
    }
    ASSIGN_OR_RETURN(drawn[i], Draw(*from, region, plans[i], sizes[i]));
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    ASSIGN_OR_RETURN(drawn[i], Place(std::move(drawn[i]), plans[i], sizes[i]));
  }
  return drawn;
}

}  // namespace mediagen
