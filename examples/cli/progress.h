// Live progress: one line a generation, redrawn in place on a terminal; a plain line a change elsewhere.
#pragma once

#include <string>
#include <vector>

#include "settings.h"

namespace cli {

class Progress {
 public:
  // `silent`: draws nothing (with --json the documents are the output).
  explicit Progress(bool silent);

  // Adds a line; its number.
  size_t Add(std::string title);
  // What an event or a record says about it.
  void Update(size_t line, const Json& record);
  // A last word on the line.
  void End(size_t line, std::string word);

 private:
  struct Line {
    std::string title, word = "waiting";
    double fraction = 0;
    bool ended = false;
    std::string printed;  // off a terminal: what was said last
  };
  void Draw(size_t changed);

  const bool silent_, terminal_;
  std::vector<Line> lines_;
  size_t drawn_ = 0;  // lines on the screen
};

}  // namespace cli
