#include "blob/fs/walk.h"

#include <algorithm>

#include "base/clock.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kLeftoverMs = 24 * 3'600'000;  // no writer rests this long between two pieces

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

class Walk {
 public:
  Walk(FileSystem* files, const std::string& root, std::string_view prefix, std::string_view after,
       size_t limit, const std::function<void(const std::string&)>& prune)
      : files_(files), root_(root), prefix_(prefix), after_(after), limit_(limit), prune_(prune) {}

  // `directory` is "" or ends in '/'.
  Status Visit(const std::string& directory) {
    std::string path = fmt::format("{}/{}", root_, directory);
    auto names = files_->List(path);
    if (CodeOf(names.status()) == Code::kNotFound)
      return OkStatus();  // gone with its last blob, or never there
    if (!names.ok()) return names.status();
    // A writer that gave up leaves its directory. Should a new writer be just about to use it, it makes it
    // again.
    if (names->empty() && !directory.empty()) prune_(path);
    std::vector<Entry> entries;
    for (const std::string& name : *names) RETURN_IF_ERROR(Collect(directory, name, &entries));
    // '/' is not the smallest character of a key: "a-1" stands before "a/1", so a directory is sorted with
    // its slash.
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
    for (Entry& entry : entries) {
      if (found.size() >= limit_) break;
      if (entry.info.directory) {
        RETURN_IF_ERROR(Visit(entry.key));
      } else {
        found.push_back({std::move(entry.key), entry.info.size, entry.info.modified_ms});
      }
    }
    return OkStatus();
  }

  std::vector<BlobInfo> found;

 private:
  struct Entry {
    std::string key;  // of a directory: with its slash
    FileInfo info;
  };

  // Adds `name` when it is a blob of the answer or a directory that may hold one.
  Status Collect(const std::string& directory, const std::string& name, std::vector<Entry>* entries) {
    if (StartsWith(name, kTempPrefix)) return RemoveLeftover(fmt::format("{}/{}{}", root_, directory, name));
    std::string key = directory + name;
    bool as_blob = StartsWith(key, prefix_) && key > after_;
    bool as_directory = MayHold(key + "/");
    if (!CheckBlobKey(key).ok() || (!as_blob && !as_directory))
      return OkStatus();  // before asking the disk about it
    auto info = files_->Stat(fmt::format("{}/{}", root_, key));
    if (CodeOf(info.status()) == Code::kNotFound) return OkStatus();
    if (!info.ok()) return info.status();
    if (info->directory) key.push_back('/');
    if (info->directory ? as_directory : as_blob) entries->push_back({std::move(key), *info});
    return OkStatus();
  }

  bool MayHold(const std::string& directory) const {
    bool fits = StartsWith(directory, prefix_) || StartsWith(prefix_, directory);
    return fits && (directory > after_ || StartsWith(after_, directory));
  }

  Status RemoveLeftover(const std::string& path) {
    auto info = files_->Stat(path);
    if (info.ok() && !info->directory && SystemClock()->WallMs() - info->modified_ms > kLeftoverMs)
      return files_->Remove(path);
    return OkStatus();
  }

  FileSystem* const files_;
  const std::string& root_;
  const std::string_view prefix_, after_;
  const size_t limit_;
  const std::function<void(const std::string&)>& prune_;
};

}  // namespace

StatusOr<std::vector<BlobInfo>> WalkBlobs(FileSystem* files, const std::string& root, std::string_view prefix,
                                          std::string_view after, size_t limit,
                                          const std::function<void(const std::string&)>& prune) {
  Walk walk(files, root, prefix, after, limit, prune);
  // A prefix that leaves the root, or is no key, has no blobs; its directories are not even looked at.
  size_t slash = prefix.find_last_of('/');
  std::string directory(prefix.substr(0, slash == std::string_view::npos ? 0 : slash + 1));
  bool possible = directory.empty() || CheckBlobKey(directory.substr(0, directory.size() - 1)).ok();
  if (limit > 0 && possible) RETURN_IF_ERROR(walk.Visit(directory));
  return std::move(walk.found);
}

}  // namespace mediagen
