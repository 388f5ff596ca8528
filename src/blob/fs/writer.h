// A blob that arrives in pieces, on a file.
#pragma once

#include <memory>
#include <string>

#include "blob/blob.h"

namespace mediagen {

// Writes to `file`. When `before` is a valid descriptor, the blob stands there already: the pieces are
// compared with it as they come, and Commit answers kConflict unless they are the same. It then writes them
// again all the same: the writer before may have died between the rename and the sync.
std::unique_ptr<BlobStore::Writer> NewBlobWriter(std::string key, std::unique_ptr<FileSystem::Writer> file,
                                                 BlobFile before);

}  // namespace mediagen
