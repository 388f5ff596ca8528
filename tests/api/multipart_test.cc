// multipart/form-data by RFC 7578 and RFC 2046 §5.1: what is a form, and what is not.
#include "api/multipart.h"

#include <doctest/doctest.h>

using namespace mediagen;

namespace {

constexpr std::string_view kFile = "Content-Disposition: form-data; name=\"file\"; filename=\"fox.png\"\r\n";

// A form of one part with these header lines and this body.
std::string Form(std::string_view headers, std::string_view body) {
  return "--b\r\n" + std::string(headers) + "\r\n" + std::string(body) + "\r\n--b--\r\n";
}

Status Refusal(std::string_view body) { return ParseMultipart("b", body).status(); }

}  // namespace

TEST_CASE("a boundary is taken from the Content-Type, quoted or not") {
  const std::pair<std::string, std::string> good[] = {
      {"multipart/form-data; boundary=abc", "abc"},
      {"multipart/form-data;boundary=abc", "abc"},
      {"multipart/form-data; charset=utf-8; BOUNDARY=\"a b:c\"", "a b:c"},
      {"multipart/form-data; boundary=\"abc\" ; charset=utf-8", "abc"},
      {"multipart/form-data; boundary=----WebKitFormBoundaryX1;", "----WebKitFormBoundaryX1"},
      {"multipart/form-data; boundary=" + std::string(70, 'x'), std::string(70, 'x')}};
  for (const auto& one : good) {
    const std::string_view type = one.first, boundary = one.second;
    CAPTURE(type);
    auto found = MultipartBoundary(type);
    REQUIRE(found.ok());
    CHECK(*found == boundary);
  }
  const std::pair<std::string, std::string> bad[] = {
      {"multipart/form-data", "no boundary"},
      {"multipart/form-data; charset=utf-8", "no boundary"},
      {"multipart/form-data; boundary", "cannot be read"},
      {"multipart/form-data; boundary=\"abc", "cannot be read"},
      {"multipart/form-data; boundary=\"abc\"d", "cannot be read"},
      {"multipart/form-data; boundary=a; boundary=b", "two boundaries"},
      {"multipart/form-data; boundary=", "1 to 70"},
      {"multipart/form-data; boundary=\"ends with a blank \"", "1 to 70"},
      {"multipart/form-data; boundary=\"a\\\"b\"", "1 to 70"},
      {"multipart/form-data; boundary=a*b", "1 to 70"},
      {"multipart/form-data; boundary=" + std::string(71, 'x'), "1 to 70"}};
  for (const auto& one : bad) {
    const std::string_view type = one.first, why = one.second;
    CAPTURE(type);
    auto found = MultipartBoundary(type);
    CHECK(CodeOf(found.status()) == Code::kInvalid);
    CHECK(InfoOf(found.status()).message.find(why) != std::string::npos);
  }
}

TEST_CASE("the parts are views into the body") {
  const std::string body =
      "this is ignored\r\n--b \t\r\n"
      "Content-Disposition: form-data; name=\"visibility\"\r\n\r\npublic\r\n"
      "--b\r\nContent-Type: image/png\r\ncontent-disposition: FORM-DATA; filename=\"a\\\";b.png\"; "
      "name=file\r\n"
      "X-Other: yes\r\n\r\n\x89PNG\r\n--not the boundary\r\n\r\n--c\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\r\n"
      "--b-- \r\nand this, too, even --b";
  auto parts = ParseMultipart("b", body);
  REQUIRE(parts.ok());
  REQUIRE(parts->size() == 3);
  const FormPart& visibility = (*parts)[0];
  CHECK(visibility.name == "visibility");
  CHECK(visibility.body == "public");
  CHECK_FALSE(visibility.file);
  const FormPart& file = (*parts)[1];
  CHECK(file.name == "file");
  CHECK(file.file);
  CHECK(file.content_type == "image/png");
  CHECK(file.body == "\x89PNG\r\n--not the boundary\r\n\r\n--c");
  CHECK(file.body.data() > body.data());
  CHECK(file.body.data() + file.body.size() < body.data() + body.size());
  CHECK((*parts)[2].name.empty());
  CHECK((*parts)[2].body.empty());
}

TEST_CASE("every shape of a good form is one") {
  const std::pair<std::string, std::string_view> cases[] = {
      {Form(kFile, "x"), "x"},
      {Form(kFile, ""), ""},
      {Form(kFile, "\r\n"), "\r\n"},
      {Form(kFile, "-"), "-"},
      {Form(kFile, std::string_view("a\0b", 3)), std::string_view("a\0b", 3)},
      {"--b\r\n" + std::string(kFile) + "\r\nx\r\n--b--", "x"},          // no line end behind the last
      {"\r\n--b\r\n" + std::string(kFile) + "\r\nx\r\n--b--\r\n", "x"},  // an empty preamble
      {"--b\r\n" + std::string(kFile) + "\r\n--b--\r\n", ""},            // headers alone
      {Form("Content-Disposition: form-data; name=file; filename*=utf-8''f\r\n", "x"), "x"},
      {Form("Content-Disposition: form-data; name=file; filename=\"\xC3\xBC.png\"\r\n", "x"), "x"},
      {Form(std::string(kFile) + "Content-Transfer-Encoding: binary\r\n", "x"), "x"}};
  for (const auto& one : cases) {
    const std::string_view body = one.first, content = one.second;
    CAPTURE(body);
    auto parts = ParseMultipart("b", body);
    REQUIRE(parts.ok());
    REQUIRE(parts->size() == 1);
    CHECK((*parts)[0].name == "file");
    CHECK((*parts)[0].file);
    CHECK((*parts)[0].body == content);
  }
  CHECK_FALSE(ParseMultipart("b", std::string_view()).ok());
  auto none = ParseMultipart("b", "--b--\r\n");
  REQUIRE(none.ok());
  CHECK(none->empty());
}

TEST_CASE("what is malformed is told") {
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "does not stand in the body"},
      {"hello", "does not stand in the body"},
      {"x--b\r\n", "does not stand in the body"},
      {"\n--b\n", "does not stand in the body"},
      {"--b", "not all of its line"},
      {"--b\n" + std::string(kFile), "not all of its line"},
      {"--bcd\r\n", "not all of its line"},
      {"--b--x", "not all of its line"},
      {"--b\r\n", "cut off within part 1"},
      {"--b\r\n--b--\r\n", "cut off within part 1"},
      {"--b\r\n" + std::string(kFile) + "\r\nx", "cut off within part 1"},
      {"--b\r\n" + std::string(kFile) + "\r\nx\r\n--", "cut off within part 1"},
      {"--b\r\n" + std::string(kFile) + "\r\nx\r\n--b\r\n", "cut off within part 2"},
      {"--b\r\n" + std::string(kFile) + "\r\nx\r\n--bx\r\n", "before part 2 is not all of its line"},
      {"--b\r\n\r\nx\r\n--b--\r\n", "part 1 has no Content-Disposition"},
      {"--b\r\nno header\r\n\r\nx\r\n--b--\r\n", "a header line of part 1"},
      {"--b\r\nContent-Disposition: form-data; name=\"a\"\n\nx\r\n--b--\r\n",
       "no empty line ends the header"},
      {"--b\r\nx\r\n--b--\r\n", "no empty line ends the header"},
      {Form("Content-Type: text/plain\r\n", "x"), "part 1 has no Content-Disposition"},
      {Form("Content-Disposition: attachment; name=\"a\"\r\n", "x"), "is not form-data"},
      {Form("Content-Disposition: form-data\r\n", "x"), "part 1 has no name"},
      {Form("Content-Disposition: form-data; filename=\"a\"\r\n", "x"), "part 1 has no name"},
      {Form("Content-Disposition: form-data; name=\"a\r\n", "x"), "cannot be read"},
      {Form("Content-Disposition: form-data; name=\"a\\\"\r\n", "x"), "cannot be read"},
      {Form("Content-Disposition: form-data; name\r\n", "x"), "cannot be read"},
      {Form("Content-Disposition: form-data name=a\r\n", "x"), "is not form-data"},
      {Form("Content-Disposition: form-data; name=a; name=b\r\n", "x"), "part 1 has two names"},
      {Form(std::string(kFile) + std::string(kFile), "x"), "two Content-Dispositions"},
      {Form(std::string(kFile) + "Content-Type: a/b\r\nContent-Type: a/b\r\n", "x"), "two Content-Types"},
      {Form(std::string(kFile) + " folded: yes\r\n", "x"), "a header line of part 1"},
      {Form(std::string(kFile) + ": empty\r\n", "x"), "a header line of part 1"},
      {Form(std::string(kFile) + std::string("X-Nul: \0\r\n", 10), "x"), "a header line of part 1"}};
  for (const auto& one : cases) {
    const std::string_view body = one.first, why = one.second;
    CAPTURE(body);
    const Status refusal = Refusal(body);
    CHECK(CodeOf(refusal) == Code::kInvalid);
    CAPTURE(InfoOf(refusal).message);
    CHECK(InfoOf(refusal).message.find(why) != std::string::npos);
  }
  const Status encoded = Refusal(Form(std::string(kFile) + "Content-Transfer-Encoding: base64\r\n", "eA=="));
  CHECK(CodeOf(encoded) == Code::kUnsupported);
}

TEST_CASE("a form is refused past its limits, and not before") {
  std::string sixteen;
  for (int i = 0; i < 16; ++i) sixteen += "--b\r\n" + std::string(kFile) + "\r\nx\r\n";
  auto parts = ParseMultipart("b", sixteen + "--b--\r\n");
  REQUIRE(parts.ok());
  CHECK(parts->size() == 16);
  CHECK(CodeOf(Refusal(sixteen + "--b\r\n" + std::string(kFile) + "\r\nx\r\n--b--\r\n")) == Code::kTooLarge);

  auto padded = [](size_t bytes) {
    return Form(std::string(kFile) + "X: " + std::string(bytes - kFile.size() - 5, 'x') + "\r\n", "x");
  };
  CHECK(ParseMultipart("b", padded(8 << 10)).ok());
  CHECK(CodeOf(Refusal(padded((8 << 10) + 3))) == Code::kTooLarge);
  CHECK(CodeOf(Refusal(padded(1 << 20))) == Code::kTooLarge);
}

TEST_CASE("no prefix of a form is more than a form that was cut off") {
  const std::string whole = Form(kFile, "\x89PNG and more") + "behind";
  const size_t complete = whole.find("--b--") + 5;
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    auto parts = ParseMultipart("b", std::string_view(whole).substr(0, size));
    CHECK(parts.ok() == (size == complete || size >= complete + 2));
  }
}
