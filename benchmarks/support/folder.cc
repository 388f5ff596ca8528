#include "support/folder.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace mediagen::bench {

Folder::Folder() {
  std::string pattern =
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "bench-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr ||
      chmod(pattern.c_str(), 0755) != 0) {  // a peer's server may run as another user
    std::perror(pattern.c_str());
    std::exit(1);
  }
  path = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace mediagen::bench
