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
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }
  std::span<const uint8_t> bytes() const { return {reinterpret_cast<const uint8_t*>(data_), size_}; }

  // For the C ABI only; everybody else uses BufferRef.
  void Ref() const { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() const;
  // Whether somebody besides the caller holds it. A hint: it may change at once.
  bool shared() const { return refs_.load(std::memory_order_relaxed) > 1; }

 private:
  friend class BufferRef;
  Buffer(const char* data, size_t size, std::shared_ptr<const void> owner)
      : data_(data), size_(size), owner_(std::move(owner)) {}
  ~Buffer() = default;

  mutable std::atomic<uint32_t> refs_{1};
  const char* data_;
  size_t size_;
  std::shared_ptr<const void> owner_;  // null: the bytes stand behind this object, in the same allocation
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
