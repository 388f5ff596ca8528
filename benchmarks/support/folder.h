// Folder: a place for a benchmark's data, removed at the end.
#pragma once

#include <string>

namespace mediagen::bench {

class Folder {
 public:
  // Beside the benchmark's own build, so that it is the disk that is measured and not a memory file system.
  // Ends the program when it cannot be made.
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path;
};

}  // namespace mediagen::bench
