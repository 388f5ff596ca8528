#include "simulator/pictures.h"

#include "base/hash.h"
#include "codec/image.h"
#include "fmt/format.h"
#include "provider/sketch/draw.h"

namespace mediagen::simulator {
namespace {

constexpr size_t kKeep = 64;
constexpr int kSteps = 4;

StatusOr<BufferRef> Draw(const Prediction& prediction, int64_t n) {
  uint32_t width = 0, height = 0;
  OutputSize(prediction.input, &width, &height);
  const auto seed =
      static_cast<uint64_t>(IntOf(prediction.input, "seed", static_cast<int64_t>(Xxh3(prediction.id) >> 1)));
  ASSIGN_OR_RETURN(Pixels pixels, DrawSketch(
                                      TextOf(prediction.input, "prompt"), seed + static_cast<uint64_t>(n),
                                      width, height, [](int, int) { return OkStatus(); }, kSteps));
  return Encode(pixels, {.format = Format::kPng, .png_level = 1});
}

}  // namespace

StatusOr<BufferRef> Pictures::Png(const Prediction& prediction, int64_t n) {
  const std::string key = fmt::format("{}/{}", prediction.id, n);
  std::promise<StatusOr<BufferRef>> promise;
  Drawing drawing;
  bool mine = false;
  {
    std::lock_guard lock(mutex_);
    auto [it, added] = drawn_.try_emplace(key);
    if (added) {
      mine = true;
      it->second = promise.get_future().share();
      oldest_first_.push_back(key);
      if (oldest_first_.size() > kKeep) {
        drawn_.erase(oldest_first_.front());
        oldest_first_.pop_front();
      }
    }
    drawing = it->second;
  }
  if (mine) promise.set_value(Draw(prediction, n));
  return drawing.get();
}

}  // namespace mediagen::simulator
