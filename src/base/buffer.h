// Buffer: immutable, refcounted bytes. The currency of everything that is passed on without a copy: cache
// entries, picture bodies, results of calls. The C ABI's mediagen_buffer is this same object.
//
// Thread-safe: any thread may hold, copy and drop a BufferRef.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mediagen {

class BufferRef;

class Buffer {
 public:
  const char* data() const {
    return before_ == kElsewhere ? elsewhere().data : reinterpret_cast<const char*>(this + 1);
  }
  size_t size() const { return size_; }
  std::string_view view() const { return {data(), size_}; }
  std::span<const uint8_t> bytes() const { return {reinterpret_cast<const uint8_t*>(data()), size_}; }

  // For the C ABI and the memory cache only; everybody else uses BufferRef.
  void Ref() const { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() const {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) Delete();
  }
  // Whether somebody besides the caller holds it. A hint: it may change at once.
  bool shared() const { return refs_.load(std::memory_order_relaxed) > 1; }

  // A buffer inside a larger block: `block` is from ::operator new and has room for `before` bytes of the
  // caller's, a Buffer and a copy of `bytes`. Whoever drops the last reference frees the block, so what
  // stands before the buffer needs no destructor. `before` is a multiple of 8.
  static Buffer* Embed(void* block, uint32_t before, std::string_view bytes);
  // What a Buffer takes whose bytes stand elsewhere, those not counted.
  static constexpr size_t kElsewhereBytes = 40;

 private:
  friend class BufferRef;
  struct Elsewhere {
    const char* data;
    std::shared_ptr<const void> owner;
  };
  static constexpr uint32_t kElsewhere = UINT32_MAX;

  Buffer(uint32_t before, size_t size) : before_(before), size_(size) {}
  ~Buffer() = default;
  const Elsewhere& elsewhere() const { return *reinterpret_cast<const Elsewhere*>(this + 1); }
  void Delete() const;

  mutable std::atomic<uint32_t> refs_{1};
  // Bytes of the same allocation in front of this object, and the buffer's bytes stand behind it; or
  // kElsewhere, and an Elsewhere stands behind it.
  const uint32_t before_;
  const size_t size_;
};

// A counted reference to a Buffer; may be null.
class BufferRef {
 public:
  BufferRef() = default;
  BufferRef(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  BufferRef(const BufferRef& other) : buffer_(other.buffer_) {
    if (buffer_) buffer_->Ref();
  }
  BufferRef(BufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferRef& operator=(BufferRef other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~BufferRef() {
    if (buffer_) buffer_->Unref();
  }

  // One allocation that holds a copy of `bytes`.
  static BufferRef Copy(std::string_view bytes);
  // Takes over the string without copying its bytes.
  static BufferRef Own(std::string bytes);
  static BufferRef Own(std::vector<uint8_t> bytes);
  // A view of bytes that `owner` keeps alive.
  static BufferRef Alias(std::string_view bytes, std::shared_ptr<const void> owner);
  // Takes over / gives up one count of a raw pointer (the C ABI).
  static BufferRef Adopt(const Buffer* buffer) {
    BufferRef ref;
    ref.buffer_ = buffer;
    return ref;
  }
  const Buffer* Release() { return std::exchange(buffer_, nullptr); }

  const Buffer* get() const { return buffer_; }
  const Buffer* operator->() const { return buffer_; }
  const Buffer& operator*() const { return *buffer_; }
  explicit operator bool() const { return buffer_ != nullptr; }
  std::string_view view() const { return buffer_ ? buffer_->view() : std::string_view(); }
  size_t size() const { return buffer_ ? buffer_->size() : 0; }

 private:
  const Buffer* buffer_ = nullptr;
};

}  // namespace mediagen
