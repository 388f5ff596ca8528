// The query of a target: pairs that are percent-encoded.
#include <set>
#include <string>

#include "api/query.h"
#include "base/text.h"
#include "fuzz/input.h"

namespace mediagen::fuzz {
namespace {

std::string Escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const uint8_t byte = static_cast<uint8_t>(c);
    out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

void CheckDecoding(std::string_view text) {
  for (bool plus : {false, true}) {
    const StatusOr<std::string> decoded = PercentDecode(text, plus);
    if (!decoded.ok()) {
      Require(CodeOf(decoded.status()) == Code::kInvalid, "a bad escape is the client's");
      continue;
    }
    Require(IsUtf8(*decoded) && decoded->find('\0') == std::string::npos, "text");
    Require(decoded->size() <= text.size(), "decoding adds nothing");
    Require(PercentDecode(Escaped(*decoded), plus).value_or("no") == *decoded, "and can be undone");
  }
}

// The names that a reader would ask for, in the order in which they stand.
void CheckPairs(std::string_view text) {
  StatusOr<TargetQuery> query = TargetQuery::Parse(text);
  if (!query.ok()) return Require(!InfoOf(query.status()).message.empty(), "a refusal says why");
  std::set<std::string> names;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view pair = TakeTo('&', &rest);
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string name = PercentDecode(pair.substr(0, equals), true).value();
    const std::string value = PercentDecode(pair.substr(std::min(equals + 1, pair.size())), true).value();
    Require(names.insert(name).second, "a name stands once");
    Require(query->Finish().ok() == false, "what nobody asked for is refused");
    Require(query->Text(name) == value, "its value");
    const StatusOr<int64_t> number = query->Int(name, 5, -10, 10);
    if (number.ok()) Require(*number >= -10 && *number <= 10, "the bounds of a number");
    query->IdOrEmpty(name).IgnoreError();
  }
  Require(query->Finish().ok(), "everything was asked for");
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const std::string_view text = fuzz::Text(data, size);
  fuzz::CheckDecoding(text);
  fuzz::CheckPairs(text.substr(0, 2000));
  return 0;
}
