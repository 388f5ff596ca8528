#include "api/http.h"

#include <algorithm>

#include "base/json.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kMaxFields = 100, kMaxBlockBytes = 64 << 10;

// RFC 9110 §5.6.2.
bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

// RFC 9110 §5.5: visible characters, obs-text, space and tab.
bool IsFieldValue(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
  });
}

void Names(FieldReader& fields, std::string_view name, std::vector<std::string>* out) {
  Json array = Json::array();
  fields.Array(name, &array, 1000);
  for (const Json& item : array) {
    if (!item.is_string()) return fields.Refuse(name, "must be an array of strings");
    out->push_back(item.get<std::string>());
  }
}

}  // namespace

StatusOr<Principal> ParsePrincipal(std::string_view text) {
  Principal principal;
  text = Trim(text);
  if (text.empty() || text == "null") {
    principal.host = true;
    return principal;
  }
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "principal", {.max_bytes = 64 << 10}));
  FieldReader fields(json, "principal");
  fields.String("user", &principal.user, {.max_bytes = 128});
  Names(fields, "groups", &principal.groups);
  Names(fields, "roles", &principal.roles);
  fields.String("ip", &principal.ip, {.max_bytes = 64});
  fields.String("auth", &principal.auth, {.one_of = {"token", "cookie"}});
  RETURN_IF_ERROR(fields.Finish());
  return principal;
}

const std::string* ApiRequest::Find(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) return &value;
  }
  return nullptr;
}

std::string_view ApiRequest::Header(std::string_view lower_name) const {
  const std::string* value = Find(lower_name);
  return value != nullptr ? std::string_view(*value) : std::string_view();
}

StatusOr<HeaderList> ParseHeaderBlock(std::string_view block) {
  if (block.size() > kMaxBlockBytes)
    return Error(Code::kTooLarge,
                 fmt::format("The request's header fields have {} bytes; at most {} are taken.", block.size(),
                             kMaxBlockBytes),
                 {.object = "headers"});
  HeaderList headers;
  size_t lines = 0;
  while (!block.empty()) {
    size_t end = block.find('\n');
    std::string_view line = block.substr(0, end);
    block = end == std::string_view::npos ? std::string_view() : block.substr(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    size_t colon = line.find(':');
    if (line[0] == ' ' || line[0] == '\t')
      return Error(Code::kInvalid, "A header field is folded over two lines, which RFC 9112 §5.2 forbids.");
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
      return Error(Code::kInvalid, fmt::format("A header field's name is not a token: \"{}\".",
                                               Shorten(IsUtf8(line) ? line.substr(0, colon) : "?", 40)));
    }
    std::string_view value = Trim(line.substr(colon + 1));
    if (!IsFieldValue(value))
      return Error(Code::kInvalid,
                   fmt::format("The header field {} holds a control character.", line.substr(0, colon)));
    if (++lines > kMaxFields)
      return Error(Code::kTooLarge, fmt::format("The request has more than {} header fields.", kMaxFields),
                   {.object = "headers"});
    const std::string name = ToLower(line.substr(0, colon));
    auto known = std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return h.first == name; });
    if (known == headers.end()) {
      headers.emplace_back(name, value);
    } else {
      known->second.append(", ").append(value);
    }
  }
  return headers;
}

std::string FormatHeaderBlock(const HeaderList& headers) {
  std::string block;
  for (const auto& [name, value] : headers) block.append(name).append(": ").append(value).append("\r\n");
  return block;
}

}  // namespace mediagen
