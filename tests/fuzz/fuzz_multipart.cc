// multipart/form-data (RFC 7578): a Content-Type in the first line and a body behind it; and a form that is
// made of the same bytes, which must come back.
#include <string>
#include <vector>

#include "api/multipart.h"
#include "base/text.h"
#include "fuzz/input.h"

namespace mediagen::fuzz {
namespace {

bool Lies(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void CheckAsItComes(std::string_view content_type, std::string_view body) {
  const StatusOr<std::string> boundary = MultipartBoundary(content_type);
  if (!boundary.ok()) return Require(!InfoOf(boundary.status()).message.empty(), "a refusal says why");
  Require(!boundary->empty() && boundary->size() <= 70, "a boundary has 1 to 70 characters");
  const StatusOr<std::vector<FormPart>> parts = ParseMultipart(*boundary, body);
  if (!parts.ok()) {
    const ErrorInfo info = InfoOf(parts.status());
    Require(IsUtf8(info.message) && !info.message.empty(), "a refusal says why");
    Require(info.code == Code::kInvalid || info.code == Code::kTooLarge || info.code == Code::kUnsupported,
            "a refusal is about the input");
    return;
  }
  Require(parts->size() <= MultipartLimits().max_parts, "the limit of parts");
  const std::string delimiter = "\r\n--" + *boundary;
  const char* end = body.data();
  for (const FormPart& part : *parts) {
    for (std::string_view piece : {part.name, part.content_type, part.body})
      Require(Lies(piece, body), "a part lies in the body");
    Require(part.body.data() >= end, "one part behind the other");
    Require(part.body.find(delimiter) == part.body.npos, "no part holds the boundary");
    Require(part.content_type.find_first_of("\r\n") == part.content_type.npos, "a type is one line");
    end = part.body.data() + part.body.size();
  }
}

// Every line is a part's body, unless the boundary stands in it.
void CheckMadeForm(std::string_view rest) {
  constexpr std::string_view kBoundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
  std::vector<std::string_view> bodies;
  std::string form = "a preamble\r\n";
  while (!rest.empty() && bodies.size() < 16) {
    const std::string_view body = TakeTo('\n', &rest);
    if (body.find(kBoundary) != body.npos) continue;
    form +=
        "--" + std::string(kBoundary) + "\r\nContent-Disposition: form-data; name=\"n\"; filename=\"f\"\r\n";
    form += "Content-Type: image/png\r\n\r\n" + std::string(body) + "\r\n";
    bodies.push_back(body);
  }
  form += "--" + std::string(kBoundary) + "--\r\nan epilogue";
  const auto parts = ParseMultipart(kBoundary, form);
  Require(parts.ok() && parts->size() == bodies.size(), "a well-formed form is read");
  for (size_t i = 0; i < bodies.size(); ++i) {
    const FormPart& part = (*parts)[i];
    Require(part.body == bodies[i], "its bytes come back");
    Require(part.name == "n" && part.file && part.content_type == "image/png", "and what is said of them");
  }
  for (size_t cut = 0; cut < form.size(); cut += 1 + form.size() / 16) {
    const auto less = ParseMultipart(kBoundary, std::string_view(form).substr(0, cut));
    const size_t behind = form.size() - cut, epilogue = std::string_view("\r\nan epilogue").size();
    if (behind + 1 == epilogue) continue;  // half a line end behind the last boundary may be either
    const bool whole = behind <= epilogue;
    Require(less.ok() == whole, "half a form is no form");
  }
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  std::string_view rest = fuzz::Text(data, size);
  fuzz::CheckMadeForm(rest);
  const std::string_view content_type = fuzz::TakeTo('\n', &rest);
  fuzz::CheckAsItComes(content_type, rest);
  return 0;
}
