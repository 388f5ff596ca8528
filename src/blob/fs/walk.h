// Walks the directories of a blob store in the order of keys.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "blob/blob.h"

namespace mediagen {

// BlobStore::List over the files below `root`. Reads only the directories that can hold an answer. Calls
// `prune` with the path of each empty one.
StatusOr<std::vector<BlobInfo>> WalkBlobs(FileSystem* files, const std::string& root, std::string_view prefix,
                                          std::string_view after, size_t limit,
                                          const std::function<void(const std::string&)>& prune);

}  // namespace mediagen
