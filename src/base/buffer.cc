#include "base/buffer.h"

#include <cstring>
#include <memory>
#include <new>

namespace mediagen {

static_assert(alignof(Buffer) <= 8 && sizeof(Buffer) == 16);

Buffer* Buffer::Embed(void* block, uint32_t before, std::string_view bytes) {
  auto* buffer = new (static_cast<char*>(block) + before) Buffer(before, bytes.size());
  if (!bytes.empty()) std::memcpy(reinterpret_cast<char*>(buffer + 1), bytes.data(), bytes.size());
  return buffer;
}

void Buffer::Delete() const {
  auto* self = const_cast<Buffer*>(this);
  if (before_ == kElsewhere) {
    std::destroy_at(reinterpret_cast<Elsewhere*>(self + 1));
    ::operator delete(self);
  } else {
    ::operator delete(reinterpret_cast<char*>(self) - before_);
  }
}

BufferRef BufferRef::Copy(std::string_view bytes) {
  return Adopt(Buffer::Embed(::operator new(sizeof(Buffer) + bytes.size()), 0, bytes));
}

BufferRef BufferRef::Alias(std::string_view bytes, std::shared_ptr<const void> owner) {
  static_assert(Buffer::kElsewhereBytes == sizeof(Buffer) + sizeof(Buffer::Elsewhere));
  void* memory = ::operator new(Buffer::kElsewhereBytes);
  auto* buffer = new (memory) Buffer(Buffer::kElsewhere, bytes.size());
  new (static_cast<void*>(buffer + 1)) Buffer::Elsewhere{bytes.data(), std::move(owner)};
  return Adopt(buffer);
}

BufferRef BufferRef::Own(std::string bytes) {
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  std::string_view view = *owner;
  return Alias(view, std::move(owner));
}

BufferRef BufferRef::Own(std::vector<uint8_t> bytes) {
  auto owner = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  std::string_view view(reinterpret_cast<const char*>(owner->data()), owner->size());
  return Alias(view, std::move(owner));
}

}  // namespace mediagen
