// Catcher: sits in a working process, logs every landmark that a commit passes, and kills or freezes the
// process where its trap says.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/landmarks.h"
#include "crash/plan.h"
#include "support/watched_files.h"

namespace mediagen::crash {

// A line to the harness; written at once, since this process may die at any moment.
void Say(const Json& line);

class Catcher final : public Landmarks {
 public:
  // Appends to `log_path`, which all processes of the directory share.
  Catcher(const std::string& log_path, std::optional<Trap> trap);

  void Pass(const Landmark& landmark, Side side) override;

  // The machine's files; the renames of pictures and spooled answers are landmarks, too.
  FileSystem* files() { return &files_; }
  // Whose the attempt with this id is: a spooled answer is named after it. "" when nobody knows.
  void OnAttemptUser(std::function<std::string(const std::string& attempt)> user_of);

 private:
  void Renamed(const std::string& path, bool after);
  void Look(std::string_view point, std::string_view kind, bool after);

  const Fd log_;
  const std::optional<Trap> trap_;
  std::atomic<int64_t> passed_{0};
  std::mutex mutex_;  // guards user_of_
  std::function<std::string(const std::string&)> user_of_;
  testing::WatchedFiles files_;
};

}  // namespace mediagen::crash
