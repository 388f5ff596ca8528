#include "codec/pixel_pool.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <vector>

#include "base/fork.h"
#include "codec/image.h"

namespace mediagen {
namespace codec {
namespace {

constexpr size_t kAlignment = 64;               // a cache line, and the widest vector
constexpr size_t kSmallest = size_t{64} << 10;  // malloc keeps smaller ones itself

// Stands before the pixels.
struct alignas(kAlignment) Head {
  size_t bytes = 0;  // with this head
};

// Eight sizes to a power of two: at most an eighth is wasted, and pictures of about one size share buffers.
size_t Rounded(size_t bytes) {
  const size_t step = std::max(kAlignment, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

class Pool {
 public:
  Head* Take(size_t bytes) {
    std::lock_guard lock(mutex_);
    auto it = std::find_if(free_.rbegin(), free_.rend(), [&](Head* head) { return head->bytes == bytes; });
    if (it == free_.rend()) return nullptr;
    Head* head = *it;
    free_.erase(std::next(it).base());
    kept_ -= bytes;
    return head;
  }

  // Those that were kept the longest make room.
  void Give(Head* head) {
    std::vector<Head*> gone;
    {
      std::lock_guard lock(mutex_);
      free_.push_back(head);
      kept_ += head->bytes;
      while (kept_ > kPoolBytes) {
        kept_ -= free_.front()->bytes;
        gone.push_back(free_.front());
        free_.erase(free_.begin());
      }
    }
    for (Head* old : gone) std::free(old);
  }

  bool forked() const { return fork_.forked(); }

  void Clear() {
    std::vector<Head*> gone;
    {
      std::lock_guard lock(mutex_);
      gone.swap(free_);
      kept_ = 0;
    }
    for (Head* old : gone) std::free(old);
  }

 private:
  const ForkGuard fork_;
  std::mutex mutex_;
  std::vector<Head*> free_;  // the longest kept first; few, since each has kSmallest bytes at least
  size_t kept_ = 0;
};

// A forked child begins with one of its own: the lock of its parent's may have been held at that moment.
Pool& ThePool() {
  static std::atomic<Pool*> current{new Pool};
  Pool* pool = current;
  if (!pool->forked()) return *pool;
  Pool* fresh = new Pool;
  if (current.compare_exchange_strong(pool, fresh)) return *fresh;
  delete fresh;
  return *pool;
}

// AddressSanitizer finds what is used after its end only where memory is really given back.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

}  // namespace

uint8_t* TakeBuffer(size_t bytes) {
  bytes = Rounded(bytes + sizeof(Head));
  Head* head = kPooled && bytes >= kSmallest ? ThePool().Take(bytes) : nullptr;
  if (head == nullptr) head = static_cast<Head*>(std::aligned_alloc(kAlignment, bytes));
  if (head == nullptr) return nullptr;
  head->bytes = bytes;
  return reinterpret_cast<uint8_t*>(head + 1);
}

void GiveBuffer(uint8_t* data) {
  if (data == nullptr) return;
  Head* head = reinterpret_cast<Head*>(data) - 1;
  if (kPooled && head->bytes >= kSmallest && head->bytes <= kPoolBytes)
    ThePool().Give(head);
  else
    std::free(head);
}

}  // namespace codec

void TrimPixels() { codec::ThePool().Clear(); }

}  // namespace mediagen
