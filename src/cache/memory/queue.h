// Queue: a doubly linked list of nodes through their own links, newest at the head, with its sum of
// charges.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cache/memory/node.h"

namespace mediagen::memory_cache {

class Queue {
 public:
  explicit Queue(Segment segment) : segment_(segment) {}

  Node* tail() const { return tail_; }
  uint64_t bytes() const { return bytes_; }
  size_t count() const { return count_; }

  void PushHead(Node* entry) {
    entry->segment = segment_;
    entry->prev = nullptr;
    entry->next = head_;
    (head_ ? head_->prev : tail_) = entry;
    head_ = entry;
    bytes_ += entry->charge;
    ++count_;
  }
  void Remove(Node* entry) {
    (entry->prev ? entry->prev->next : head_) = entry->next;
    (entry->next ? entry->next->prev : tail_) = entry->prev;
    entry->prev = entry->next = nullptr;
    entry->segment = Segment::kNone;
    bytes_ -= entry->charge;
    --count_;
  }
  void MoveToHead(Node* entry) {
    if (entry == head_) return;
    Remove(entry);
    PushHead(entry);
  }

 private:
  const Segment segment_;
  Node* head_ = nullptr;
  Node* tail_ = nullptr;
  uint64_t bytes_ = 0;
  size_t count_ = 0;
};

}  // namespace mediagen::memory_cache
