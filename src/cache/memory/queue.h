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

  void PushHead(Node* node) {
    node->prev = nullptr;
    node->next = head_;
    (head_ ? head_->prev : tail_) = node;
    head_ = node;
    Count(node);
    Stamp(node);
  }
  void PushTail(Node* node) {
    node->next = nullptr;
    node->prev = tail_;
    (tail_ ? tail_->next : head_) = node;
    tail_ = node;
    Count(node);
  }
  void Remove(Node* node) {
    (node->prev ? node->prev->next : head_) = node->next;
    (node->next ? node->next->prev : tail_) = node->prev;
    node->prev = node->next = nullptr;
    node->segment = Segment::kNone;
    bytes_ -= node->charge;
    --count_;
  }
  void MoveToHead(Node* node) {
    if (node == head_) return;
    Remove(node);
    PushHead(node);
  }
  // Moves it to the head unless it came there lately. That spares hot nodes four cache misses each, and puts
  // nobody further from its place than an eighth of the queue.
  void Touch(Node* node) {
    if (count_ < kLeastTouched || static_cast<uint8_t>(tick_ - node->stamp) > 1) MoveToHead(node);
  }

 private:
  static constexpr size_t kLeastTouched = 256;  // in shorter queues the nodes are in the processor's cache

  void Count(Node* node) {
    node->segment = segment_;
    bytes_ += node->charge;
    ++count_;
  }
  // A stamp is the number of the sixteenth of the queue that passed the head with the node. One of 256 nodes
  // that was not touched for long looks new again; what it loses is one move.
  void Stamp(Node* node) {
    if (++passed_ > count_ / 16) {
      passed_ = 0;
      ++tick_;
    }
    node->stamp = tick_;
  }

  const Segment segment_;
  uint8_t tick_ = 0;
  Node* head_ = nullptr;
  Node* tail_ = nullptr;
  uint64_t bytes_ = 0;
  size_t count_ = 0;
  size_t passed_ = 0;  // the head, since tick_ changed
};

}  // namespace mediagen::memory_cache
