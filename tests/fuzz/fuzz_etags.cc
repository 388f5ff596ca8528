// If-Match and If-None-Match: lists as they come, and lists that are made of tags.
#include <fmt/format.h>

#include <set>

#include "api/conditional.h"
#include "fuzz/exchange.h"

namespace mediagen::fuzz {
namespace {

void CheckAsItComes(const std::string& list) {
  const bool weak = EtagListHolds(list, kEtag, false), strong = EtagListHolds(list, kEtag, true);
  Require(weak || !strong, "what compares strongly compares weakly");
  if (weak) {
    const bool named = list.find(kEtag) != std::string::npos;
    Require(named || Trim(list) == "*", "a tag is held that stands there");
  }
  const auto verdict = [&](const char* method, const char* name) {
    return CheckPreconditions(With(method, {{name, list}}), kEtag);
  };
  Require(verdict("GET", "if-none-match") == (weak ? Precondition::kNotModified : Precondition::kProceed),
          "If-None-Match of GET");
  Require(verdict("PUT", "if-none-match") == (weak ? Precondition::kFailed : Precondition::kProceed),
          "If-None-Match of PUT");
  Require(verdict("PUT", "if-match") == (strong ? Precondition::kProceed : Precondition::kFailed),
          "If-Match");
}

// A record's tag is its version and its bytes: for If-Match the version is enough.
void CheckRecord(const std::string& text) {
  const std::string tag = RecordEtag(7, text), other_bytes = RecordEtag(7, text + "x"),
                    other_version = RecordEtag(8, text);
  const auto verdict = [&](const char* name, const std::string& list) {
    return CheckRecordPreconditions(With("PUT", {{name, list}}), tag);
  };
  Require(verdict("if-match", other_bytes) == Precondition::kProceed, "the version alone");
  Require(verdict("if-match", other_version) == Precondition::kFailed, "another version");
  Require(verdict("if-none-match", other_bytes) == Precondition::kProceed, "other bytes");
  Require(verdict("if-none-match", tag) == Precondition::kFailed, "the very bytes");
}

// One tag a line; a line that begins with 'w' is a weak one. Bytes that no tag has become letters.
void CheckMadeList(std::string_view rest) {
  std::string list;
  std::set<std::string> all, strong;
  std::string block;
  while (!rest.empty()) {
    std::string_view line = TakeTo('\n', &rest);
    const bool weak = line.starts_with('w');
    std::string tag = "\"";
    for (char c : line.substr(weak ? 1 : 0)) {
      const uint8_t byte = static_cast<uint8_t>(c);
      const bool fits = byte == 0x21 || (byte >= 0x23 && byte <= 0x7E) || byte >= 0x80;  // RFC 9110 §8.8.3
      tag.push_back(fits ? c : 'x');
    }
    tag.push_back('"');
    list += fmt::format("{}{}{}", list.empty() ? "" : ", ", weak ? "W/" : "", tag);
    block += fmt::format("If-None-Match: {}{}\r\n", weak ? "W/" : "", tag);
    all.insert(tag);
    if (!weak) strong.insert(tag);
  }
  const StatusOr<HeaderList> fields = ParseHeaderBlock(block);
  if (!fields.ok()) return Require(list.size() > 300, "a tag can stand in a field");
  for (const std::string& tag : all) {
    Require(EtagListHolds(list, tag, false), "every tag of the list is found");
    Require(EtagListHolds(list, tag, true) == strong.contains(tag), "strongly where it is strong");
    Require(CheckPreconditions(With("GET", *fields), tag) == Precondition::kNotModified,
            "several fields are one list");
  }
  if (!all.contains(std::string(kEtag))) Require(!EtagListHolds(list, kEtag, false), "no other tag is found");
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  fuzz::CheckAsItComes(std::string(fuzz::Text(data, size)));
  fuzz::CheckRecord(std::string(fuzz::Text(data, size)));
  fuzz::CheckMadeList(fuzz::Text(data, size).substr(0, 600));
  return 0;
}
