// Blobs as files below one directory.
#pragma once

#include "blob/blob.h"

namespace mediagen {

// `root` is made when it is missing. `files` must outlive the store.
StatusOr<std::unique_ptr<BlobStore>> OpenFileBlobs(FileSystem* files, std::string root);

}  // namespace mediagen
