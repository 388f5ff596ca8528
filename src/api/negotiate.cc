#include "api/negotiate.h"

#include <algorithm>

#include "base/text.h"

namespace mediagen {
namespace {

// "0.85" → 850; a malformed value counts as 0, so that nothing is sent that was not clearly wanted.
int ParseQ(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1') || text.size() > 5) return 0;
  int value = (text[0] - '0') * 1000;
  if (text.size() > 1 && text[1] != '.') return 0;
  int scale = 100;
  for (size_t i = 2; i < text.size(); ++i, scale /= 10) {
    if (text[i] < '0' || text[i] > '9') return 0;
    value += (text[i] - '0') * scale;
  }
  return std::min(value, 1000);
}

// Whether a list's elements may hold quoted strings (§5.6.4), in which a mark is no mark.
enum class Quotes { kNone, kSome };

// Where `mark` stands next, or the end.
size_t FindMark(std::string_view text, char mark, size_t from, Quotes quotes) {
  if (quotes == Quotes::kNone) return std::min(text.find(mark, from), text.size());
  bool quoted = false;
  for (size_t i = from; i < text.size(); ++i) {
    if (!quoted && text[i] == mark) return i;
    if (text[i] == '"') quoted = !quoted;
    if (quoted && text[i] == '\\') ++i;
  }
  return text.size();
}

// One element of a list with weights: "text/html;level=1;q=0.4".
struct Element {
  std::string_view name;
  bool parameters = false;  // other ones than the weight
  int q = 1000;
};

Element ParseElement(std::string_view text, Quotes quotes) {
  size_t at = FindMark(text, ';', 0, quotes);
  Element element{.name = Trim(text.substr(0, at))};
  while (at < text.size()) {
    const size_t next = FindMark(text, ';', at + 1, quotes);
    const std::string_view parameter = Trim(text.substr(at + 1, next - at - 1));
    at = next;
    if (parameter.size() > 1 && (parameter[0] == 'q' || parameter[0] == 'Q') && parameter[1] == '=') {
      element.q = ParseQ(parameter.substr(2));
      break;  // the weight stands last; what came behind it once is gone from the grammar (§12.5.1)
    }
    element.parameters = element.parameters || !parameter.empty();
  }
  return element;
}

template <typename Each>
void ForEachElement(std::string_view list, Quotes quotes, Each each) {
  for (size_t begin = 0, end = 0; begin < list.size(); begin = end + 1) {
    end = FindMark(list, ',', begin, quotes);
    const Element element = ParseElement(list.substr(begin, end - begin), quotes);
    if (!element.name.empty()) each(element);
  }
}

}  // namespace

int AcceptQuality(std::string_view accept, std::string_view type) {
  if (Trim(accept).empty()) return 1000;
  const std::string_view major = type.substr(0, type.find('/') + 1);
  int best_rank = 0, quality = 0;
  ForEachElement(accept, Quotes::kSome, [&](const Element& range) {
    int rank = 0;
    if (range.parameters) return;
    if (EqualsIgnoreCase(range.name, type)) {
      rank = 3;
    } else if (range.name.size() == major.size() + 1 && range.name.back() == '*' &&
               EqualsIgnoreCase(range.name.substr(0, major.size()), major)) {
      rank = 2;
    } else if (range.name == "*/*") {
      rank = 1;
    }
    if (rank > best_rank) {
      best_rank = rank;
      quality = range.q;
    }
  });
  return quality;
}

Format NegotiateFormat(std::string_view accept, Format source) {
  const Format plain = source == Format::kPng ? Format::kPng : Format::kJpeg;
  bool webp_named = false;
  ForEachElement(accept, Quotes::kSome, [&](const Element& range) {
    if (range.q > 0 && !range.parameters &&
        (EqualsIgnoreCase(range.name, "image/webp") || EqualsIgnoreCase(range.name, "image/*")))
      webp_named = true;
  });
  const int webp = AcceptQuality(accept, "image/webp");
  if (webp_named && webp > 0 && webp >= AcceptQuality(accept, MediaType(plain))) return Format::kWebp;
  if (AcceptQuality(accept, MediaType(plain)) > 0) return plain;
  if (AcceptQuality(accept, "image/jpeg") > 0) return Format::kJpeg;
  return webp > 0 ? Format::kWebp
                  : plain;  // nothing fits: the plain form is still better than nothing (RFC 9110 §12.4.1)
}

int CodingQuality(std::string_view accept_encoding, std::string_view coding) {
  int named = -1, any = -1;
  ForEachElement(accept_encoding, Quotes::kNone, [&](const Element& element) {
    std::string_view name = element.name;
    if (EqualsIgnoreCase(name, "x-gzip")) name = "gzip";  // the same by §8.4.1.3
    if (EqualsIgnoreCase(name, coding)) named = element.q;
    if (name == "*") any = element.q;
  });
  if (named >= 0) return named;
  if (coding == CodingName(Coding::kIdentity)) return any == 0 ? 0 : 1;
  return std::max(any, 0);
}

CodingChoice NegotiateCoding(const std::string* accept_encoding) {
  CodingChoice choice;
  if (accept_encoding == nullptr) return choice;
  const int zstd = CodingQuality(*accept_encoding, "zstd"), gzip = CodingQuality(*accept_encoding, "gzip");
  const int identity = CodingQuality(*accept_encoding, "identity");
  choice.identity = identity > 0;
  if (const int best = std::max(zstd, gzip); best > 0 && best >= identity)
    choice.coding = zstd >= gzip ? Coding::kZstd : Coding::kGzip;
  return choice;
}

}  // namespace mediagen
