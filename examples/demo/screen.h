// What a person sees: bars that are redrawn on a terminal, plain lines elsewhere.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace demo {

class Screen {
 public:
  Screen();
  // One line a record. On a terminal the block is drawn over the last one; elsewhere a line appears when a
  // record's state has changed.
  void Show(const std::vector<nlohmann::json>& records);
  // A line of its own.
  void Say(const std::string& line);

 private:
  const bool terminal_;
  size_t drawn_ = 0;
  std::vector<std::string> last_;
};

}  // namespace demo
