// Table: text in columns, for a terminal.
#pragma once

#include <string>
#include <vector>

namespace mediagen::bench {

class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}

  // A row of as many cells as the header has.
  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  // All rows, each column as wide as its widest cell (in characters, not bytes), numbers to the right,
  // everything else to the left.
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace mediagen::bench
