#define HWY_WANT_AVX3_DL  // as base64_lanes.cc, so that the list of targets has it

#include "base/base64.h"

#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <vector>

#include "base/base64_lanes.h"
#include "base/id.h"
#include "fmt/format.h"

using namespace mediagen;

namespace {

int ValueOf(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

// A decoder with no thought of vectors, to hold the real one against: "bytes: " and the bytes, or the
// error's message.
std::string Reference(std::string_view text, bool url_only, bool skip_space) {
  std::string bytes;
  uint32_t bits = 0;
  size_t digits = 0, padding = 0, i = 0;
  bool plus = false, minus = url_only;  // whether a mark of either alphabet was there
  auto fail = [&](std::string_view why) {
    return fmt::format("The text is not base64: position {} {}.", i, why);
  };
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (skip_space && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) continue;
    if (c == '=') {
      if (digits % 4 + padding < 2 || digits % 4 + padding > 3) return fail("is padding out of place");
      ++padding;
      continue;
    }
    const bool standard = c == '+' || c == '/', url = c == '-' || c == '_';
    const int value = ValueOf(c);
    if (value < 0 || (standard && url_only)) return fail("is not a base64 character");
    if (padding > 0) return fail("follows the padding");
    plus |= standard;
    minus |= url;
    if (plus && minus) return fail("mixes the two base64 alphabets");
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (++digits % 4 != 0) continue;
    for (int shift : {16, 8, 0}) bytes += static_cast<char>(bits >> shift);
  }
  const size_t left = digits % 4;
  if (left == 0) return "bytes: " + bytes;
  if (left == 1 || (padding > 0 ? left + padding != 4 : !minus)) return fail("is where the text breaks off");
  if (bits & (left == 2 ? 15 : 3)) return fail("is where the last group has stray bits");
  for (size_t k = 0; k + 1 < left; ++k) bytes += static_cast<char>(bits >> (6 * left - 8 - 8 * k));
  return "bytes: " + bytes;
}

// The real one's answer in these terms.
std::string Outcome(const StatusOr<std::string>& bytes) {
  return bytes.ok() ? "bytes: " + *bytes : InfoOf(bytes.status()).message;
}

// The instruction sets of this machine; none at all is one of them on x86.
const std::vector<int64_t>& Targets() {
  static const std::vector<int64_t> targets = hwy::SupportedAndGeneratedTargets();
  return targets;
}

void Use(int64_t target) { hwy::GetChosenTarget().Update(target); }
void UseBest() { Use(hwy::SupportedTargets()); }

template <typename Body>
void OnEveryTarget(Body body) {
  for (int64_t target : Targets()) {
    CAPTURE(target);
    Use(target);
    body();
  }
  UseBest();
}

// Every way of decoding `text` must say what the reference says. Most texts pass without a CHECK: there are
// hundreds of thousands of them.
void CheckAgainstReference(const std::string& text) {
  const std::string plain = Reference(text, false, false), plain_got = Outcome(Base64Decode(text));
  const std::string spaced = Reference(text, false, true), spaced_got = Outcome(Base64Decode(text, true));
  const std::string url = Reference(text, true, false), url_got = Outcome(Base64UrlDecode(text));
  if (plain == plain_got && spaced == spaced_got && url == url_got) return;
  CAPTURE(text);
  CHECK(plain_got == plain);
  CHECK(spaced_got == spaced);
  CHECK(url_got == url);
}

// What stands in no text, in few, or in the wrong ones.
constexpr std::string_view kOddities = " \t\r\n=+/-_A!\v\x7f\x80\xff";

std::string RandomBytes(Random* random, size_t size) {
  std::string bytes(size, '\0');
  random->Fill(bytes.data(), size);
  return bytes;
}

// `text` with `line` after every `width` characters.
std::string Wrapped(std::string_view text, size_t width, std::string_view line) {
  std::string lines;
  for (size_t i = 0; i < text.size(); i += width) lines.append(text.substr(i, width)).append(line);
  return lines;
}

}  // namespace

TEST_CASE("RFC 4648's examples, both ways") {
  const std::pair<std::string_view, std::string_view> rows[] = {{"", ""},
                                                                {"f", "Zg=="},
                                                                {"fo", "Zm8="},
                                                                {"foo", "Zm9v"},
                                                                {"foob", "Zm9vYg=="},
                                                                {"fooba", "Zm9vYmE="},
                                                                {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, base64] : rows) {
    CHECK(Base64Encode(text) == base64);
    CHECK(Base64Decode(base64).value() == text);
    std::string bare(base64.substr(0, base64.find('=')));
    CHECK(Base64UrlEncode(text) == bare);
    CHECK(Base64UrlDecode(bare).value() == text);
    CHECK(Base64UrlDecode(base64).value() == text);  // padding is allowed there
  }
}

TEST_CASE("the two alphabets differ in two characters and are never mixed") {
  CHECK(Base64Encode("\xfb\xff\xfe") == "+//+");
  CHECK(Base64UrlEncode("\xfb\xff\xfe") == "-__-");
  CHECK(Base64Decode("+//+").value() == "\xfb\xff\xfe");
  CHECK(Base64Decode("-__-").value() == "\xfb\xff\xfe");
  CHECK(Base64Decode("-_8").value() == "\xfb\xff");  // the URL alphabet may do without padding
  CHECK(Base64UrlDecode("-__-").value() == "\xfb\xff\xfe");
}

TEST_CASE("bytes of every length come back, on every instruction set") {
  OnEveryTarget([] {
    auto random = SeededRandom(3);
    std::vector<size_t> sizes = {8191, 8192, 99'999, 200'000};
    for (size_t size = 0; size <= 1000; ++size) sizes.push_back(size);
    for (size_t size : sizes) {
      CAPTURE(size);
      const std::string bytes = RandomBytes(random.get(), size);
      const std::string text = Base64Encode(bytes), url = Base64UrlEncode(bytes);
      CHECK(text.size() == (size + 2) / 3 * 4);
      CHECK(url.size() == (size * 4 + 2) / 3);
      const bool same = Base64Decode(text).value() == bytes && Base64UrlDecode(url).value() == bytes;
      CHECK(same);
      const bool right = Reference(text, false, false) == "bytes: " + bytes &&
                         Reference(url, true, false) == "bytes: " + bytes;
      CHECK(right);
    }
  });
}

TEST_CASE("white space is skipped wherever it stands") {
  OnEveryTarget([] {
    auto random = SeededRandom(4);
    for (size_t size = 0; size < 300; ++size) {
      const std::string bytes = RandomBytes(random.get(), size);
      std::string spaced;
      for (char c : Base64Encode(bytes))
        spaced += std::string(random->Below(2), ' ') + c + (random->Below(5) == 0 ? "\r\n\t" : "");
      CHECK(Base64Decode(spaced, true).value() == bytes);
    }
    const std::string bytes = RandomBytes(random.get(), 220), text = Base64Encode(bytes);
    for (size_t at = 0; at <= text.size(); ++at) {
      for (std::string_view space : {" ", "\t", "\r", "\n", "\r\n \t"}) {
        CHECK(Base64Decode(std::string(text).insert(at, space), true).value() == bytes);
        CHECK_FALSE(Base64Decode(std::string(text).insert(at, space)).ok());
      }
    }
  });
}

TEST_CASE("text in lines is decoded, whatever their width and ending") {
  OnEveryTarget([] {
    auto random = SeededRandom(5);
    const std::string bytes = RandomBytes(random.get(), 30'000);
    for (const std::string& text : {Base64Encode(bytes), Base64UrlEncode(bytes)}) {
      for (size_t width : {1, 3, 63, 64, 65, 76, 500}) {
        for (std::string_view line : {"\n", "\r\n", "\r\n\t    "}) {
          CAPTURE(width);
          const bool same = Base64Decode(Wrapped(text, width, line), true).value() == bytes;
          CHECK(same);
        }
      }
    }
    const std::string blank(100'000, ' ');
    CHECK(Base64Decode(blank, true).value().empty());
    const bool same = Base64Decode(blank + Base64Encode(bytes) + blank, true).value() == bytes;
    CHECK(same);
  });
}

TEST_CASE("what is not base64 is refused at its first bad position") {
  struct Row {
    std::string text;
    std::string_view where;
  };
  const Row rows[] = {
      {"Z", "position 1 is where the text breaks off"},
      {"Zg", "position 2 is where the text breaks off"},  // the standard alphabet must be padded
      {"Zm9vY", "position 5 is where the text breaks off"},
      {"Zg=", "position 3 is where the text breaks off"},
      {"Zg===", "position 4 is padding out of place"},
      {"=", "position 0 is padding out of place"},
      {"Z===", "position 1 is padding out of place"},
      {"Zm9v=", "position 4 is padding out of place"},
      {"Zg==Zg==", "position 4 follows the padding"},
      {"Zg=g", "position 3 follows the padding"},
      {"Zh==", "position 4 is where the last group has stray bits"},
      {"Zm9=", "position 4 is where the last group has stray bits"},
      {"Zm9v!m9v", "position 4 is not a base64 character"},
      {"Zm9vZ\xFF", "position 5 is not a base64 character"},
      {std::string("Zm9v\0m9v", 8), "position 4 is not a base64 character"},
      {"Zm 9v", "position 2 is not a base64 character"},  // white space only when asked for
      {"Zm9v\n", "position 4 is not a base64 character"},
      {"+m9v-m9v", "position 4 mixes the two base64 alphabets"},
      {"Zm9v_m9vZm9v/m9v", "position 12 mixes the two base64 alphabets"},
      {"+-9v", "position 1 mixes the two base64 alphabets"},
      {"Zm9+Zm9vZm-v", "position 10 mixes the two base64 alphabets"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    auto bytes = Base64Decode(row.text);
    REQUIRE_FALSE(bytes.ok());
    CHECK(CodeOf(bytes.status()) == Code::kInvalid);
    CHECK(InfoOf(bytes.status()).message == "The text is not base64: " + std::string(row.where) + ".");
  }
  CHECK(InfoOf(Base64UrlDecode("Zm9v+").status()).message ==
        "The text is not base64: position 4 is not a base64 character.");
  CHECK_FALSE(Base64UrlDecode("Zm9v/m9v").ok());
  CHECK_FALSE(Base64UrlDecode("Zg=").ok());
  CHECK_FALSE(Base64UrlDecode("Z").ok());
  CHECK_FALSE(Base64UrlDecode("Zh").ok());
  CHECK(Base64Decode(" Z g = = \n", true).value() == "f");
  CHECK_FALSE(Base64Decode("Zg\v==", true).ok());
}

TEST_CASE("every wrong byte at every position is reported as a plain decoder reports it") {
  auto random = SeededRandom(6);
  const std::string bytes = RandomBytes(random.get(), 75);
  for (const std::string& text : {Base64Encode(bytes), Base64UrlEncode(bytes)}) {
    REQUIRE(text.size() == 100);
    for (size_t at = 0; at < text.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed = text;
        changed[at] = static_cast<char>(byte);
        Use(Targets()[static_cast<size_t>(byte) % Targets().size()]);
        CheckAgainstReference(changed);
      }
    }
    OnEveryTarget([&] {
      for (size_t at = 0; at < text.size(); ++at) {
        for (char odd : kOddities) CheckAgainstReference(std::string(text).replace(at, 1, 1, odd));
      }
    });
  }
}

TEST_CASE("a mark of the other alphabet is found however far behind the first one") {
  for (size_t gap : {0, 1, 62, 63, 64, 500, 20'000}) {
    for (std::string_view marks : {"+-", "+_", "/-", "/_", "-+", "-/", "_+", "_/", "++", "--"}) {
      for (size_t first : {0, 5, 200}) {
        std::string text = std::string(first, 'A') + marks[0] + std::string(gap, 'B') + marks[1];
        text.resize((text.size() + 99) / 4 * 4, 'C');
        OnEveryTarget([&] {
          CheckAgainstReference(text);
          CheckAgainstReference(Wrapped(text, 76, "\r\n"));
        });
      }
    }
  }
}

TEST_CASE("100,000 random texts mean what a plain decoder says they mean") {
  auto random = SeededRandom(7);
  for (size_t i = 0; i < 100'000; ++i) {
    Use(Targets()[i % Targets().size()]);
    const uint64_t most = i % 500 == 0 ? 20'000 : 250;
    const std::string bytes = RandomBytes(random.get(), random->Below(most));
    std::string text = random->Below(2) == 0 ? Base64Encode(bytes) : Base64UrlEncode(bytes);
    if (random->Below(3) == 0) {
      text = Wrapped(text, 1 + random->Below(100), random->Below(2) == 0 ? "\n" : "\r\n");
    }
    const uint64_t faults = random->Below(2) == 0 ? 0 : 1 + random->Below(3);
    for (uint64_t k = 0; k < faults && !text.empty(); ++k) {
      const size_t at = random->Below(text.size());
      const char odd = kOddities[random->Below(kOddities.size())];
      const uint64_t kind = random->Below(3);
      if (kind == 0) text[at] = odd;
      if (kind == 1) text.insert(at, 1, odd);
      if (kind == 2) text.erase(at, 1 + random->Below(5));
    }
    CheckAgainstReference(text);
  }
  UseBest();
}

TEST_CASE("the vector loops stay within their buffers") {
  OnEveryTarget([] {
    auto random = SeededRandom(8);
    const std::string text = Base64Encode(RandomBytes(random.get(), 600));
    const std::string lines = Wrapped(text, 19, "\r\n");
    for (size_t size = 0; size < 200; ++size) {
      for (size_t room = 0; room < 280; room += 13) {
        // Vectors of exactly these sizes, for the sanitizer to guard their ends.
        const std::vector<uint8_t> in(text.begin(), text.begin() + static_cast<ptrdiff_t>(size));
        const std::vector<uint8_t> in_lines(lines.begin(), lines.begin() + static_cast<ptrdiff_t>(size));
        std::vector<uint8_t> out(room);
        const size_t encoded =
            Base64EncodeLanes(in.data(), size, Base64Alphabet::kStandard, out.data(), room);
        CHECK((encoded % 3 == 0 && encoded <= size && encoded / 3 * 4 <= room));
        const size_t decoded =
            Base64DecodeLanes(in.data(), size, Base64Alphabet::kStandard, out.data(), room);
        CHECK((decoded % 4 == 0 && decoded <= size && decoded / 4 * 3 <= room));
        const auto [read, written] = Base64SqueezeLanes(in_lines.data(), size, out.data(), room);
        CHECK((written <= read && read <= size && written <= room));
      }
    }
  });
}
