#include "cache/memory/tag_index.h"

namespace mediagen::memory_cache {

void TagIndex::Add(Entry* entry, const std::vector<std::string>& names) {
  if (names.empty()) return;
  entry->tags = std::make_unique<std::vector<Tag*>>();
  for (const std::string& name : names) {
    std::unique_ptr<Tag>& tag = tags_[name];
    if (!tag) tag = std::make_unique<Tag>(Tag{name, {}});
    if (tag->entries.insert(entry).second) entry->tags->push_back(tag.get());
  }
}

void TagIndex::Remove(Entry* entry) {
  if (!entry->tags) return;
  for (Tag* tag : *entry->tags) {
    tag->entries.erase(entry);
    if (tag->entries.empty()) tags_.erase(tags_.find(tag->name));
  }
  entry->tags.reset();
}

std::vector<Entry*> TagIndex::EntriesOf(std::string_view name) const {
  auto tag = tags_.find(name);
  if (tag == tags_.end()) return {};
  return {tag->second->entries.begin(), tag->second->entries.end()};
}

}  // namespace mediagen::memory_cache
