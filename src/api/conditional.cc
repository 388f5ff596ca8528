#include "api/conditional.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "base/text.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

enum class Comparison { kWeak, kStrong, kVersion };

bool IsWeak(std::string_view tag) { return tag.starts_with("W/"); }
std::string_view Opaque(std::string_view tag) { return IsWeak(tag) ? tag.substr(2) : tag; }

// §8.8.3: visible characters but the quote, and obs-text.
bool IsTagCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x21 || (byte >= 0x23 && byte != 0x7F);
}

void SkipSpace(std::string_view* text) {
  while (!text->empty() && (text->front() == ' ' || text->front() == '\t')) text->remove_prefix(1);
}

// Takes the next entity tag off `list`, empty elements before it too; "" at the end or at a mistake.
std::string_view NextTag(std::string_view* list) {
  SkipSpace(list);
  while (list->starts_with(',')) {
    list->remove_prefix(1);
    SkipSpace(list);
  }
  size_t end = IsWeak(*list) ? 2 : 0;
  if (end >= list->size() || (*list)[end] != '"') return {};
  for (++end; end < list->size() && IsTagCharacter((*list)[end]);) ++end;
  if (end >= list->size() || (*list)[end] != '"') return {};
  const std::string_view tag = list->substr(0, end + 1);
  list->remove_prefix(end + 1);
  SkipSpace(list);
  return list->empty() || list->front() == ',' ? tag : std::string_view();
}

bool SameTag(std::string_view a, std::string_view b, Comparison comparison) {
  if (comparison == Comparison::kWeak) return Opaque(a) == Opaque(b);
  if (IsWeak(a) || IsWeak(b)) return false;
  if (comparison == Comparison::kStrong) return a == b;
  return a.substr(0, a.find('.')) == b.substr(0, b.find('.'));
}

bool ListHolds(std::string_view list, std::string_view etag, Comparison comparison) {
  if (Trim(list) == "*") return true;
  for (std::string_view tag = NextTag(&list); !tag.empty(); tag = NextTag(&list)) {
    if (SameTag(tag, etag, comparison)) return true;
  }
  return false;
}

Precondition Check(const ApiRequest& request, std::string_view etag, Comparison if_match_by) {
  const std::string* if_match = request.Find("if-match");
  if (if_match != nullptr && !ListHolds(*if_match, etag, if_match_by)) return Precondition::kFailed;
  const std::string* if_none_match = request.Find("if-none-match");
  if (if_none_match == nullptr || !ListHolds(*if_none_match, etag, Comparison::kWeak))
    return Precondition::kProceed;
  return request.method == "GET" || request.method == "HEAD" ? Precondition::kNotModified
                                                             : Precondition::kFailed;
}

bool ParseNumber(std::string_view text, uint64_t* out) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error == std::errc::result_out_of_range) *out = UINT64_MAX;  // a position past any end
  return true;
}

// The only range-spec of a Range value of the unit "bytes"; "" when there are several, or something else.
std::string_view OnlyRange(std::string_view value) {
  const size_t equals = value.find('=');
  if (equals == std::string_view::npos || !EqualsIgnoreCase(value.substr(0, equals), "bytes")) return {};
  std::string_view only;
  for (std::string_view rest = value.substr(equals + 1); !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view spec = Trim(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (spec.empty()) continue;  // an empty element of a list means nothing (§5.6.1.2)
    if (!only.empty()) return {};
    only = spec;
  }
  return only;
}

bool IfRangeHolds(const ApiRequest& request, std::string_view etag) {
  const std::string* if_range = request.Find("if-range");
  return if_range == nullptr || SameTag(Trim(*if_range), etag, Comparison::kStrong);
}

}  // namespace

bool EtagListHolds(std::string_view list, std::string_view etag, bool strong) {
  return ListHolds(list, etag, strong ? Comparison::kStrong : Comparison::kWeak);
}

std::string RecordEtag(int64_t version, std::string_view served) {
  return fmt::format("\"{}.{:016x}\"", version, Xxh3(served));
}

Precondition CheckPreconditions(const ApiRequest& request, std::string_view etag) {
  return Check(request, etag, Comparison::kStrong);
}

Precondition CheckRecordPreconditions(const ApiRequest& request, std::string_view etag) {
  return Check(request, etag, Comparison::kVersion);
}

RangeResult CheckRange(const ApiRequest& request, std::string_view etag, uint64_t size, ByteRange* range) {
  *range = {0, size};
  if (request.method != "GET") return RangeResult::kWhole;
  const std::string_view spec = OnlyRange(request.Header("range"));
  const size_t dash = spec.find('-');
  if (dash == std::string_view::npos || !IfRangeHolds(request, etag)) return RangeResult::kWhole;
  const std::string_view first_text = spec.substr(0, dash), last_text = spec.substr(dash + 1);
  uint64_t first = 0, last = UINT64_MAX;
  if (first_text.empty()) {  // suffix range: the last n bytes
    if (!ParseNumber(last_text, &last)) return RangeResult::kWhole;
    if (last == 0) return RangeResult::kUnsatisfiable;
    if (size == 0) return RangeResult::kWhole;  // satisfiable, but no Content-Range could say how (§14.4)
    const uint64_t length = std::min(last, size);
    *range = {size - length, length};
    return RangeResult::kPartial;
  }
  if (!ParseNumber(first_text, &first)) return RangeResult::kWhole;
  if (!last_text.empty() && (!ParseNumber(last_text, &last) || last < first))
    return RangeResult::kWhole;  // not a valid range set: ignored (§14.2)
  if (first >= size) return RangeResult::kUnsatisfiable;
  *range = {first, std::min(last, size - 1) - first + 1};
  return RangeResult::kPartial;
}

}  // namespace mediagen
