#include "cache/memory/entry.h"

#include <cstring>
#include <new>

namespace mediagen::memory_cache {

Entry* Entry::New(HashedKey key, BufferRef value, bool detailed) {
  const bool embedded = value.size() <= kMostEmbedded;
  const size_t tail = TailOffset(detailed, key.text.size());
  char* block =
      static_cast<char*>(::operator new(tail + (embedded ? sizeof(Buffer) + value.size() : sizeof(void*))));
  auto* entry = new (block) Entry;
  entry->hash = key.hash;
  entry->key_size = static_cast<uint32_t>(key.text.size());
  entry->flags = static_cast<uint8_t>((detailed ? kDetailed : 0) | (embedded ? kEmbedded : 0));
  if (detailed) new (entry + 1) Details;
  if (!key.text.empty())
    std::memcpy(const_cast<char*>(entry->key().data()), key.text.data(), key.text.size());
  if (embedded) {
    Buffer::Embed(block, static_cast<uint32_t>(tail), value.view());
  } else {
    new (block + tail) const Buffer*(value.Release());
  }
  return entry;
}

BufferRef Entry::Retire(Entry* entry) {
  BufferRef value = BufferRef::Adopt(entry->buffer());
  const bool embedded = (entry->flags & kEmbedded) != 0;
  if (Details* details = entry->details()) std::destroy_at(details);
  if (!embedded) ::operator delete(entry);
  return value;
}

}  // namespace mediagen::memory_cache
