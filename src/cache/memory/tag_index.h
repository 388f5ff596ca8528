// TagIndex: the entries of a shard by tag. Not thread-safe: the shard's lock guards it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/text.h"
#include "cache/memory/entry.h"

namespace mediagen::memory_cache {

struct Tag {
  std::string name;
  absl::flat_hash_set<Entry*> entries;  // never empty
};

class TagIndex {
 public:
  // An entry with tags has details. A tag that is named twice counts once.
  void Add(Entry* entry, const std::vector<std::string>& names);
  void Remove(Entry* entry);
  std::vector<Entry*> EntriesOf(std::string_view name) const;

 private:
  StringMap<std::unique_ptr<Tag>> tags_;
};

}  // namespace mediagen::memory_cache
