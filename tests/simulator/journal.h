// Journal: what crash tests judge by. One JSON line for every paid request, on the disk before the client
// hears anything of it.
//
// Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "base/file.h"
#include "base/json.h"

namespace mediagen::simulator {

class Journal {
 public:
  // Appends to `path`; kept in memory alone when it is empty. False when the file cannot be opened.
  bool Open(const std::string& path);
  // Returns after fdatasync. False when the line may not be durable: the request must then not be accepted.
  bool Append(const Json& line);
  // All lines since this process began, one a line.
  std::string Text();

 private:
  std::mutex mutex_;
  Fd file_;
  std::string text_;
};

// A file of JSON lines, appended to without a sync: it survives this process, not the machine. Thread-safe.
class StateFile {
 public:
  // Calls `each` for every whole line that stands in the file already. False when it cannot be opened.
  bool Open(const std::string& path, const std::function<void(const Json&)>& each);
  void Append(const Json& line);

 private:
  std::mutex mutex_;
  Fd file_;
};

}  // namespace mediagen::simulator
