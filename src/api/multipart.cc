#include "api/multipart.h"

#include <string.h>

#include <algorithm>
#include <optional>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kMaxBoundary = 70;  // RFC 2046 §5.1.1
constexpr std::string_view kLine = "\r\n";

Status Malformed(std::string why) {
  return Error(Code::kInvalid, fmt::format("The form is malformed: {}", why),
               {.hint = "Let the client build it: curl -F file=@fox.png, or FormData in a browser."});
}

// Where in the whole body a part begins, for the reader of an error.
std::string Nth(size_t part) { return fmt::format("part {}", part + 1); }

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// RFC 9110 §5.6.2.
bool IsTokenChar(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kMarks.find(c) != std::string_view::npos;
}

// bchars of RFC 2046 §5.1.1.
bool IsBoundary(std::string_view text) {
  constexpr std::string_view kMarks = "'()+_,-./:=? ";
  return !text.empty() && text.size() <= kMaxBoundary && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kMarks.find(c) != std::string_view::npos;
         });
}

// "; name=value" and "; name=\"value\"", one after another.
class Parameters {
 public:
  explicit Parameters(std::string_view text) : rest_(text) {}

  // False at the end, and where the text is malformed.
  bool Next() {
    SkipBlanks();
    if (rest_.empty()) return false;
    if (!Eat(';')) return Break();
    SkipBlanks();
    if (rest_.empty()) return false;  // a semicolon at the end says nothing
    name = TakeToken();
    if (name.empty() || !Eat('=')) return Break();
    if (!rest_.empty() && rest_[0] == '"') return TakeQuoted();
    value = rest_.substr(0, rest_.find(';'));
    rest_.remove_prefix(value.size());
    value = Trim(value);
    return true;
  }
  bool broken() const { return broken_; }

  std::string_view name, value;

 private:
  bool Break() {
    broken_ = true;
    return false;
  }
  bool Eat(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void SkipBlanks() {
    while (!rest_.empty() && IsBlank(rest_[0])) rest_.remove_prefix(1);
  }
  std::string_view TakeToken() {
    size_t end = 0;
    while (end < rest_.size() && IsTokenChar(rest_[end])) ++end;
    std::string_view token = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return token;
  }
  // A quote inside is escaped as RFC 9110 §5.6.4 has it, or percent-encoded, as browsers do.
  bool TakeQuoted() {
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return Break();
    value = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return true;
  }

  std::string_view rest_;
  bool broken_ = false;
};

// What Content-Disposition says of a part (RFC 7578 §4.2).
Status ReadDisposition(std::string_view value, size_t index, FormPart* part) {
  const size_t semicolon = std::min(value.find(';'), value.size());
  if (!EqualsIgnoreCase(Trim(value.substr(0, semicolon)), "form-data"))
    return Malformed(fmt::format("the Content-Disposition of {} is not form-data.", Nth(index)));
  bool named = false;
  Parameters parameters(value.substr(semicolon));
  while (parameters.Next()) {
    if (EqualsIgnoreCase(parameters.name, "name")) {
      if (named) return Malformed(fmt::format("{} has two names.", Nth(index)));
      named = true;
      part->name = parameters.value;
    } else if (EqualsIgnoreCase(parameters.name, "filename") ||
               EqualsIgnoreCase(parameters.name, "filename*")) {
      part->file = true;
    }
  }
  if (parameters.broken())
    return Malformed(fmt::format("the Content-Disposition of {} cannot be read.", Nth(index)));
  if (!named) return Malformed(fmt::format("{} has no name.", Nth(index)));
  return OkStatus();
}

// `block` is all header lines, each with its CRLF.
Status ReadHeaders(std::string_view block, size_t index, FormPart* part) {
  bool disposed = false, typed = false;
  while (!block.empty()) {
    const size_t end = block.find(kLine);
    std::string_view line = block.substr(0, end);
    block.remove_prefix(end + kLine.size());
    const size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    const bool bare = line.find_first_of(std::string_view("\r\n\0", 3)) != line.npos;
    if (bare || colon == line.npos || name.empty() || !std::all_of(name.begin(), name.end(), IsTokenChar))
      return Malformed(fmt::format("a header line of {} cannot be read.", Nth(index)));
    const std::string_view value = Trim(line.substr(colon + 1));
    if (EqualsIgnoreCase(name, "content-disposition")) {
      if (disposed) return Malformed(fmt::format("{} has two Content-Dispositions.", Nth(index)));
      disposed = true;
      RETURN_IF_ERROR(ReadDisposition(value, index, part));
    } else if (EqualsIgnoreCase(name, "content-type")) {
      if (typed) return Malformed(fmt::format("{} has two Content-Types.", Nth(index)));
      typed = true;
      part->content_type = value;
    } else if (EqualsIgnoreCase(name, "content-transfer-encoding") && !EqualsIgnoreCase(value, "binary") &&
               !EqualsIgnoreCase(value, "8bit") && !EqualsIgnoreCase(value, "7bit")) {
      // RFC 7578 §4.7 deprecates it; what is encoded nevertheless would be stored as something else.
      return Error(Code::kUnsupported,
                   fmt::format("{} is encoded as {}.", Nth(index), Shorten(ReplaceBadUtf8(value), 40)),
                   {.hint = "Send the bytes as they are."});
    }
  }
  return disposed ? OkStatus() : Malformed(fmt::format("{} has no Content-Disposition.", Nth(index)));
}

// `text` is one part with the CRLF that belongs to the delimiter behind it: headers alone are a part, too.
StatusOr<FormPart> ReadPart(std::string_view text, size_t index, const MultipartLimits& limits) {
  FormPart part;
  size_t headers = 0;
  if (!text.starts_with(kLine)) {
    const size_t end = text.substr(0, limits.max_header_bytes + 4).find("\r\n\r\n");
    if (end == text.npos && text.size() > limits.max_header_bytes) {
      return Error(Code::kTooLarge, fmt::format("The header of {} of the form has more than {} bytes.",
                                                Nth(index), limits.max_header_bytes));
    }
    if (end == text.npos)
      return Malformed(fmt::format("no empty line ends the header of {} (lines end in CRLF).", Nth(index)));
    headers = end + kLine.size();
  }
  RETURN_IF_ERROR(ReadHeaders(text.substr(0, headers), index, &part));
  text.remove_prefix(headers + kLine.size());
  part.body = text.substr(0, text.size() - std::min(text.size(), kLine.size()));
  return part;
}

// Where `delimiter` next begins. memmem takes linear time whatever the bytes are, and four times less than
// looking for each CR.
size_t FindDelimiter(std::string_view body, std::string_view delimiter, size_t from) {
  if (from >= body.size()) return body.npos;
  const void* found = memmem(body.data() + from, body.size() - from, delimiter.data(), delimiter.size());
  return found == nullptr ? body.npos : static_cast<size_t>(static_cast<const char*>(found) - body.data());
}

// What stands behind a boundary: "--" at the last one, then blanks that mail gateways add, then CRLF, which
// may be missing at the end of the body.
struct Delimiter {
  bool last = false;
  size_t size = 0;
};
std::optional<Delimiter> ReadDelimiter(std::string_view behind) {
  Delimiter found;
  found.last = behind.starts_with("--");
  if (found.last) found.size = 2;
  while (found.size < behind.size() && IsBlank(behind[found.size])) ++found.size;
  if (found.last && found.size == behind.size()) return found;
  if (behind.substr(found.size, kLine.size()) != kLine) return std::nullopt;
  found.size += kLine.size();
  return found;
}

}  // namespace

std::string_view MediaTypeOf(std::string_view content_type) {
  return Trim(content_type.substr(0, content_type.find(';')));
}

StatusOr<std::string> MultipartBoundary(std::string_view content_type) {
  std::optional<std::string> boundary;
  Parameters parameters(content_type.substr(std::min(content_type.find(';'), content_type.size())));
  while (parameters.Next()) {
    if (!EqualsIgnoreCase(parameters.name, "boundary")) continue;
    if (boundary) return Malformed("its Content-Type names two boundaries.");
    boundary = parameters.value;
  }
  if (parameters.broken()) return Malformed("its Content-Type cannot be read.");
  if (!boundary) return Malformed("its Content-Type names no boundary.");
  if (!IsBoundary(*boundary)) {
    return Malformed(
        fmt::format("its boundary must be 1 to {} of the characters that RFC 2046 allows.", kMaxBoundary));
  }
  return *std::move(boundary);
}

StatusOr<std::vector<FormPart>> ParseMultipart(std::string_view boundary, std::string_view body,
                                               const MultipartLimits& limits) {
  const std::string delimiter = fmt::format("\r\n--{}", boundary);
  const std::string_view dashed = std::string_view(delimiter).substr(kLine.size());
  size_t at = 0;  // behind the boundary
  if (body.starts_with(dashed)) {
    at = dashed.size();
  } else {
    const size_t first = FindDelimiter(body, delimiter, 0);
    if (first == body.npos) return Malformed("its boundary does not stand in the body.");
    at = first + delimiter.size();
  }
  std::vector<FormPart> parts;
  while (true) {
    const std::optional<Delimiter> found = ReadDelimiter(body.substr(at));
    if (!found) {
      return Malformed(fmt::format("the boundary before {} is not all of its line (lines end in CRLF).",
                                   Nth(parts.size())));
    }
    if (found->last) return parts;
    if (parts.size() == limits.max_parts)
      return Error(Code::kTooLarge, fmt::format("The form has more than {} parts.", limits.max_parts));
    at += found->size;
    const size_t end = FindDelimiter(body, delimiter, at);
    if (end == body.npos) return Malformed(fmt::format("it is cut off within {}.", Nth(parts.size())));
    ASSIGN_OR_RETURN(FormPart part, ReadPart(body.substr(at, end + kLine.size() - at), parts.size(), limits));
    parts.push_back(part);
    at = end + delimiter.size();
  }
}

}  // namespace mediagen
