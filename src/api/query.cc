#include "api/query.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kMostParameters = 64;  // each is compared with all before it

}  // namespace

StatusOr<std::string> PercentDecode(std::string_view text, bool plus) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      std::string byte = i + 2 < text.size() ? UnHex(text.substr(i + 1, 2)) : "";
      if (byte.size() != 1) return Error(Code::kInvalid, "The request target holds a broken percent escape.");
      out += byte;
      i += 2;
    } else {
      out.push_back(plus && text[i] == '+' ? ' ' : text[i]);
    }
  }
  if (!IsUtf8(out) || out.find('\0') != std::string::npos)
    return Error(Code::kInvalid, "The request target is not valid UTF-8.");
  return out;
}

StatusOr<TargetQuery> TargetQuery::Parse(std::string_view text) {
  TargetQuery query;
  while (!text.empty()) {
    size_t end = std::min(text.find('&'), text.size());
    std::string_view pair = text.substr(0, end);
    text = text.substr(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    size_t equals = std::min(pair.find('='), pair.size());
    ASSIGN_OR_RETURN(std::string name, PercentDecode(pair.substr(0, equals), true));
    ASSIGN_OR_RETURN(std::string value, PercentDecode(pair.substr(std::min(equals + 1, pair.size())), true));
    for (const auto& [known, old] : query.pairs_) {
      if (known == name)
        return Error(Code::kInvalid, fmt::format("The parameter \"{}\" stands twice.", Shorten(name, 60)));
    }
    if (query.pairs_.size() == kMostParameters)
      return Error(Code::kInvalid, fmt::format("The query has more than {} parameters.", kMostParameters));
    query.pairs_.emplace_back(std::move(name), std::move(value));
  }
  return query;
}

std::optional<std::string> TargetQuery::Text(std::string_view name) {
  asked_.emplace_back(name);
  for (const auto& [known, value] : pairs_) {
    if (known == name) return value;
  }
  return std::nullopt;
}

bool TargetQuery::Has(std::string_view name) const {
  return std::any_of(pairs_.begin(), pairs_.end(), [&](const auto& pair) { return pair.first == name; });
}

std::optional<std::string> TargetQuery::Take(std::string_view name) {
  auto found =
      std::find_if(pairs_.begin(), pairs_.end(), [&](const auto& pair) { return pair.first == name; });
  if (found == pairs_.end()) return std::nullopt;
  std::string value = std::move(found->second);
  pairs_.erase(found);
  return value;
}

StatusOr<int64_t> TargetQuery::Int(std::string_view name, int64_t fallback, int64_t min, int64_t max) {
  auto text = Text(name);
  if (!text) return fallback;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < min || value > max) {
    return Error(Code::kInvalid, fmt::format("\"{}\" must be a whole number from {} to {}.", name, min, max),
                 {.object = std::string(name)});
  }
  return value;
}

StatusOr<bool> TargetQuery::Flag(std::string_view name) {
  auto text = Text(name);
  if (!text || *text == "false") return false;
  if (*text == "true") return true;
  return Error(Code::kInvalid, fmt::format("\"{}\" must be true or false.", name),
               {.object = std::string(name)});
}

StatusOr<Id> TargetQuery::IdOrEmpty(std::string_view name) {
  auto text = Text(name);
  if (!text) return Id{};
  return Id::Parse(*text);
}

Status TargetQuery::Finish() const {
  for (const auto& [name, value] : pairs_) {
    if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
      return Error(
          Code::kInvalid, fmt::format("The parameter \"{}\" is unknown here.", Shorten(name, 60)),
          {.hint = asked_.empty() ? "This resource takes none."
                                  : fmt::format("The parameters are: {}.", fmt::join(asked_, ", "))});
    }
  }
  return OkStatus();
}

}  // namespace mediagen
