#include "support/table.h"

#include <algorithm>
#include <cstddef>

#include "fmt/format.h"

namespace mediagen::bench {
namespace {

// Characters of UTF-8 text: every byte that does not continue one.
size_t Width(const std::string& text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool IsNumber(const std::string& cell) {
  return !cell.empty() && std::all_of(cell.begin(), cell.end(), [](char c) {
    return (c >= '0' && c <= '9') || std::string_view(".-+e% ").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string Table::Text() const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < widths.size(); ++i) {
      const std::string padding(widths[i] - Width(row[i]), ' ');
      line += fmt::format("{}{}  ", IsNumber(row[i]) ? padding : row[i], IsNumber(row[i]) ? row[i] : padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace mediagen::bench
