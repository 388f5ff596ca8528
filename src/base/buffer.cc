#include "base/buffer.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace mediagen {

void Buffer::Unref() const {
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  auto* self = const_cast<Buffer*>(this);
  self->~Buffer();
  ::operator delete(self);
}

BufferRef BufferRef::Copy(std::string_view bytes) {
  void* memory = ::operator new(sizeof(Buffer) + bytes.size());
  char* data = static_cast<char*>(memory) + sizeof(Buffer);
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  return Adopt(new (memory) Buffer(data, bytes.size(), nullptr));
}

BufferRef BufferRef::Alias(std::string_view bytes, std::shared_ptr<const void> owner) {
  return Adopt(new (::operator new(sizeof(Buffer))) Buffer(bytes.data(), bytes.size(), std::move(owner)));
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
