// Pictures: what the simulated models make, drawn from the prompt when first asked for.
//
// Thread-safe. Drawings that run are shared by those who ask for the same.
#pragma once

#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <string>

#include "base/buffer.h"
#include "simulator/prediction.h"

namespace mediagen::simulator {

class Pictures {
 public:
  // The PNG of output `n` of `prediction`.
  StatusOr<BufferRef> Png(const Prediction& prediction, int64_t n);

 private:
  using Drawing = std::shared_future<StatusOr<BufferRef>>;
  std::mutex mutex_;
  std::map<std::string, Drawing> drawn_;
  std::deque<std::string> oldest_first_;
};

}  // namespace mediagen::simulator
