#include "simulator/form.h"

#include "base/text.h"

namespace mediagen::simulator {
namespace {

// What stands between `name="` and the next quote.
std::string Attribute(std::string_view head, std::string_view name) {
  const std::string start = " " + std::string(name) + "=\"";
  const size_t at = head.find(start);
  if (at == std::string_view::npos) return "";
  head.remove_prefix(at + start.size());
  return std::string(head.substr(0, head.find('"')));
}

std::string TypeIn(std::string_view head) {
  constexpr std::string_view kStart = "Content-Type: ";
  const size_t at = head.find(kStart);
  if (at == std::string_view::npos) return "";
  head.remove_prefix(at + kStart.size());
  return std::string(head.substr(0, head.find('\r')));
}

void Put(const std::string& name, Json value, Json* fields) {
  Json& field = (*fields)[name];
  if (field.is_null()) {
    field = std::move(value);
  } else {
    if (!field.is_array()) field = Json::array({field});
    field.push_back(std::move(value));
  }
}

bool AddPart(std::string_view part, Json* fields) {
  const size_t blank = part.find("\r\n\r\n");
  if (blank == std::string_view::npos) return false;
  const std::string_view head = part.substr(0, blank + 2), content = part.substr(blank + 4);
  const std::string name = Attribute(head, "name"), file = Attribute(head, "filename");
  if (name.empty()) return false;
  Json value = std::string(content);
  if (!file.empty()) value = {{"file", file}, {"type", TypeIn(head)}, {"bytes", content.size()}};
  if (name == "simulate") value = Json::parse(content, nullptr, false);
  Put(name, std::move(value), fields);
  return true;
}

}  // namespace

std::optional<Json> ReadForm(const Request& request) {
  constexpr std::string_view kType = "multipart/form-data; boundary=";
  const std::string type = request.Header("content-type");
  if (!type.starts_with(kType)) return std::nullopt;
  const std::string line = "--" + type.substr(kType.size());
  std::string_view body = request.body;
  if (!body.starts_with(line)) return std::nullopt;
  body.remove_prefix(line.size());
  Json fields = Json::object();
  while (body.starts_with("\r\n")) {
    body.remove_prefix(2);
    const size_t end = body.find("\r\n" + line);
    if (end == std::string_view::npos || !AddPart(body.substr(0, end), &fields)) return std::nullopt;
    body.remove_prefix(end + 2 + line.size());
  }
  if (body != "--\r\n") return std::nullopt;
  return fields;
}

}  // namespace mediagen::simulator
