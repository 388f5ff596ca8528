// Queue: a doubly linked list of entries through their own links, newest at the head, with its sum of
// charges.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cache/memory/entry.h"

namespace mediagen::memory_cache {

class Queue {
 public:
  explicit Queue(Segment segment) : segment_(segment) {}

  Entry* tail() const { return tail_; }
  uint64_t bytes() const { return bytes_; }
  size_t count() const { return count_; }

  void PushHead(Entry* entry) {
    entry->segment = segment_;
    entry->prev = nullptr;
    entry->next = head_;
    (head_ ? head_->prev : tail_) = entry;
    head_ = entry;
    bytes_ += entry->charge;
    ++count_;
  }
  void Remove(Entry* entry) {
    (entry->prev ? entry->prev->next : head_) = entry->next;
    (entry->next ? entry->next->prev : tail_) = entry->prev;
    entry->prev = entry->next = nullptr;
    entry->segment = Segment::kNone;
    bytes_ -= entry->charge;
    --count_;
  }
  void MoveToHead(Entry* entry) {
    if (entry == head_) return;
    Remove(entry);
    PushHead(entry);
  }

 private:
  const Segment segment_;
  Entry* head_ = nullptr;
  Entry* tail_ = nullptr;
  uint64_t bytes_ = 0;
  size_t count_ = 0;
};

}  // namespace mediagen::memory_cache
