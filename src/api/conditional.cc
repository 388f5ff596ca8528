#include "api/conditional.h"

#include <charconv>

#include "base/text.h"

namespace mediagen {
namespace {

bool IsWeak(std::string_view tag) { return tag.size() > 2 && tag[0] == 'W' && tag[1] == '/'; }
std::string_view Opaque(std::string_view tag) { return IsWeak(tag) ? tag.substr(2) : tag; }

// Takes the next entity tag off `list`; empty at the end or at a malformed one.
std::string_view NextTag(std::string_view* list) {
  while (!list->empty() && (list->front() == ',' || list->front() == ' ' || list->front() == '\t'))
    list->remove_prefix(1);
  size_t quote = IsWeak(*list) ? 2 : 0;
  if (list->size() <= quote || (*list)[quote] != '"') return {};
  size_t end = list->find('"', quote + 1);
  if (end == std::string_view::npos) return {};
  std::string_view tag = list->substr(0, end + 1);
  list->remove_prefix(end + 1);
  return tag;
}

bool ParseNumber(std::string_view text, uint64_t* out) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error == std::errc::result_out_of_range) {
    *out = UINT64_MAX;  // a position past any end
    return text.find_first_not_of("0123456789") == std::string_view::npos;
  }
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool EtagListHolds(std::string_view list, std::string_view etag, bool strong) {
  list = Trim(list);
  if (list == "*") return true;
  for (std::string_view tag = NextTag(&list); !tag.empty(); tag = NextTag(&list)) {
    if (strong && (IsWeak(tag) || IsWeak(etag))) continue;
    if (Opaque(tag) == Opaque(etag)) return true;
  }
  return false;
}

Precondition CheckPreconditions(const ApiRequest& request, std::string_view etag) {
  // Several fields of one name are one list (§5.3).
  auto joined = [&](std::string_view name) {
    std::string all;
    for (const auto& [known, value] : request.headers) {
      if (known == name) all.append(all.empty() ? "" : ", ").append(value);
    }
    return all;
  };
  std::string if_match = joined("if-match");
  if (!if_match.empty() && !EtagListHolds(if_match, etag, true)) return Precondition::kFailed;
  std::string if_none_match = joined("if-none-match");
  if (!if_none_match.empty() && EtagListHolds(if_none_match, etag, false)) {
    return request.method == "GET" || request.method == "HEAD" ? Precondition::kNotModified
                                                               : Precondition::kFailed;
  }
  return Precondition::kProceed;
}

RangeResult CheckRange(const ApiRequest& request, std::string_view etag, uint64_t size, ByteRange* range) {
  *range = {0, size};
  std::string_view value = Trim(request.Header("range"));
  if (request.method != "GET" || value.empty()) return RangeResult::kWhole;
  std::string_view if_range = Trim(request.Header("if-range"));
  if (!if_range.empty() && (IsWeak(if_range) || if_range != etag))
    return RangeResult::kWhole;  // a date never equals: there is no Last-Modified
  size_t equals = value.find('=');
  if (equals == std::string_view::npos || !EqualsIgnoreCase(Trim(value.substr(0, equals)), "bytes"))
    return RangeResult::kWhole;
  value = Trim(value.substr(equals + 1));
  size_t dash = value.find('-');
  if (dash == std::string_view::npos || value.find(',') != std::string_view::npos) return RangeResult::kWhole;
  std::string_view first_text = Trim(value.substr(0, dash)), last_text = Trim(value.substr(dash + 1));
  uint64_t first = 0, last = 0;
  if (first_text.empty()) {  // suffix range: the last n bytes
    if (!ParseNumber(last_text, &last)) return RangeResult::kWhole;
    if (last == 0 || size == 0) return RangeResult::kUnsatisfiable;
    const uint64_t length = last < size ? last : size;
    *range = {size - length, length};
    return RangeResult::kPartial;
  }
  if (!ParseNumber(first_text, &first)) return RangeResult::kWhole;
  if (last_text.empty()) {
    last = UINT64_MAX;
  } else if (!ParseNumber(last_text, &last) || last < first) {
    return RangeResult::kWhole;  // not a valid range set: ignored (§14.2)
  }
  if (first >= size) return RangeResult::kUnsatisfiable;
  if (last >= size) last = size - 1;
  *range = {first, last - first + 1};
  return RangeResult::kPartial;
}

}  // namespace mediagen
