// Pictures that come as text: data URLs and bare base64.
#include <string>

#include "base/base64.h"
#include "base/data_uri.h"
#include "codec/documents.h"
#include "fuzz/picture.h"

namespace mediagen::fuzz {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// One character after the other, as RFC 4648 §4 has it.
std::string PlainBase64(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    if (IsSpace(c) || c == '=') continue;
    if (c == '-') c = '+';
    if (c == '_') c = '/';
    bits = bits << 6 | static_cast<uint32_t>(kAlphabet.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>(bits >> count));
  }
  return out;
}

void CheckText(std::string_view text) {
  const auto bytes = PictureFromText(text);
  if (!bytes.ok()) return CheckRefusal(bytes.status());
  if (!bytes->has_value()) return Require(!IsDataUri(text), "a data URL is a picture or an error");
  const std::string_view encoded = IsDataUri(text) ? text.substr(text.find(',') + 1) : text;
  Require(**bytes == PlainBase64(encoded), "the bytes that the text stands for");
}

// Any bytes, sent as text with a line break here and there, come back.
void CheckRoundTrip(std::string_view bytes) {
  std::string text = Base64Encode(bytes);
  Require(Base64Decode(text, false).value_or("no") == bytes, "base64 comes back");
  for (size_t at = 76; at < text.size(); at += 78) text.insert(at, "\r\n");
  const auto back = PictureFromText("data:image/png;base64," + text);
  Require(back.ok() && back->has_value() && **back == bytes, "a data URL comes back");
  const auto bare = PictureFromText(text);
  const Format format = Sniff(bytes);
  const bool read = format == Format::kPng || format == Format::kJpeg || format == Format::kWebp ||
                    format == Format::kGif;  // whose first characters tell
  if (read && bytes.size() > 48)
    Require(bare.ok() && bare->has_value() && **bare == bytes, "bare base64 comes back");
  Require(Base64UrlDecode(Base64UrlEncode(bytes)).value_or("no") == bytes, "the URL alphabet comes back");
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  fuzz::CheckText(fuzz::Text(data, size));
  fuzz::CheckRoundTrip(fuzz::Text(data, size));
  return 0;
}
