#include "pipeline/window.h"

#include <algorithm>

namespace mediagen {

Window::Window(int most) : most_(std::max(most, 1)), size_(most_) {}

void Window::OnSuccess() { size_ = std::min(most_, size_ + 1.0 / static_cast<double>(limit())); }

void Window::OnOverload(int64_t sent, int64_t now, int64_t retry_after_ms) {
  if (retry_after_ms > 0) paused_until_ = std::max(paused_until_, now + retry_after_ms);
  if (sent <= halved_at_) return;
  size_ = std::max(1.0, size_ / 2);
  halved_at_ = now;
}

}  // namespace mediagen
