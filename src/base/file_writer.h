// The writer behind FileSystem::Create on the machine's own files.
#pragma once

#include <memory>
#include <string>

#include "base/file.h"

namespace mediagen {

// Makes the temporary file beside `path`.
StatusOr<std::unique_ptr<FileSystem::Writer>> NewFileWriter(const std::string& path, bool secret);

// The directory of `path`: "." for a bare name, "/" for a file of the root.
std::string DirectoryOf(const std::string& path);

// fsync of a directory, so that the names in it survive a power cut. OK where the file system knows no such
// thing.
Status SyncDirectory(const std::string& directory);

}  // namespace mediagen
