#include "cache/memory/tag_index.h"

namespace mediagen::memory_cache {

void TagIndex::Add(Entry* entry, const std::vector<std::string>& names) {
  if (names.empty()) return;
  auto& tags = entry->details()->tags;
  tags = std::make_unique<std::vector<Tag*>>();
  for (const std::string& name : names) {
    std::unique_ptr<Tag>& tag = tags_[name];
    if (!tag) tag = std::make_unique<Tag>(Tag{name, {}});
    if (tag->entries.insert(entry).second) tags->push_back(tag.get());
  }
}

void TagIndex::Remove(Entry* entry) {
  Details* details = entry->details();
  if (!details || !details->tags) return;
  for (Tag* tag : *details->tags) {
    tag->entries.erase(entry);
    if (tag->entries.empty()) tags_.erase(tags_.find(tag->name));
  }
  details->tags.reset();
}

std::vector<Entry*> TagIndex::EntriesOf(std::string_view name) const {
  auto tag = tags_.find(name);
  if (tag == tags_.end()) return {};
  return {tag->second->entries.begin(), tag->second->entries.end()};
}

}  // namespace mediagen::memory_cache
