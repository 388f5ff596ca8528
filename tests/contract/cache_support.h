// What the suites of caches share.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.h"

namespace mediagen {

struct CacheBackend {
  std::function<std::unique_ptr<Cache>()> open;  // an empty cache with room for a few hundred KB
  std::function<void(int64_t ms)> pass;          // lets time go by for it
};

// Keeps what a waiter was told, in order.
class Outcomes {
 public:
  Cache::Waiter Waiter() {
    return [list = list_](Cache::Outcome outcome) { list->push_back(std::move(outcome)); };
  }
  size_t size() const { return list_->size(); }
  const Cache::Outcome& operator[](size_t i) const { return list_->at(i); }

 private:
  std::shared_ptr<std::vector<Cache::Outcome>> list_ = std::make_shared<std::vector<Cache::Outcome>>();
};

inline Admission PutText(Cache& cache, std::string_view key, std::string_view value,
                         const EntryOptions& options = {}) {
  return cache.Put(key, BufferRef::Copy(value), options);
}

}  // namespace mediagen
