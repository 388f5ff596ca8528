// Blobs as files below one directory: the key is the path. Directories are made as needed and go with their
// last blob. What a writer left that crashed (a temporary file) or gave up (an empty directory) is removed by
// the List() that meets it, the former after a day.
#pragma once

#include "blob/blob.h"

namespace mediagen {

// `root` is made when it is missing, and must not be empty. `files` must outlive the store.
StatusOr<std::unique_ptr<BlobStore>> OpenFileBlobs(FileSystem* files, std::string root);

}  // namespace mediagen
