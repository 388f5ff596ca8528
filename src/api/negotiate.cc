#include "api/negotiate.h"

#include <algorithm>

#include "base/text.h"

namespace mediagen {
namespace {

// "0.85" → 850; a malformed value counts as 0, so that nothing is sent that was not clearly wanted.
int ParseQ(std::string_view text) {
  text = Trim(text);
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

// Calls `each(name, q)` for every element of a list with parameters.
template <typename Each>
void ForEachElement(std::string_view list, Each each) {
  for (size_t begin = 0, end = 0; begin < list.size(); begin = end + 1) {
    end = std::min(list.find(',', begin), list.size());
    std::string_view element = list.substr(begin, end - begin);
    size_t semicolon = std::min(element.find(';'), element.size());
    std::string_view name = Trim(element.substr(0, semicolon));
    int q = 1000;
    for (size_t at = semicolon; at < element.size();) {
      size_t next = std::min(element.find(';', at + 1), element.size());
      std::string_view parameter = Trim(element.substr(at + 1, next - at - 1));
      if (parameter.size() > 2 && (parameter[0] == 'q' || parameter[0] == 'Q') && parameter[1] == '=')
        q = ParseQ(parameter.substr(2));
      at = next;
    }
    if (!name.empty()) each(name, q);
  }
}

}  // namespace

int AcceptQuality(std::string_view accept, std::string_view type) {
  if (Trim(accept).empty()) return 1000;
  const std::string_view major = type.substr(0, type.find('/') + 1);
  int best_rank = 0, quality = 0;
  ForEachElement(accept, [&](std::string_view name, int q) {
    int rank = 0;
    if (EqualsIgnoreCase(name, type)) {
      rank = 3;
    } else if (name.size() == major.size() + 1 && name.back() == '*' &&
               EqualsIgnoreCase(name.substr(0, major.size()), major)) {
      rank = 2;
    } else if (name == "*/*") {
      rank = 1;
    }
    if (rank > best_rank) {
      best_rank = rank;
      quality = q;
    }
  });
  return quality;
}

Format NegotiateFormat(std::string_view accept, Format source) {
  const Format plain = source == Format::kPng ? Format::kPng : Format::kJpeg;
  bool webp_named = false;
  ForEachElement(accept, [&](std::string_view name, int q) {
    if (q > 0 && (EqualsIgnoreCase(name, "image/webp") || EqualsIgnoreCase(name, "image/*")))
      webp_named = true;
  });
  const int webp = AcceptQuality(accept, "image/webp");
  if (webp_named && webp > 0 && webp >= AcceptQuality(accept, MediaType(plain))) return Format::kWebp;
  if (AcceptQuality(accept, MediaType(plain)) > 0) return plain;
  if (AcceptQuality(accept, "image/jpeg") > 0) return Format::kJpeg;
  return webp > 0 ? Format::kWebp
                  : plain;  // nothing fits: the plain form is still better than nothing (RFC 9110 §12.4.1)
}

bool AcceptsCoding(std::string_view accept_encoding, std::string_view coding) {
  int named = -1, any = -1;
  ForEachElement(accept_encoding, [&](std::string_view name, int q) {
    if (EqualsIgnoreCase(name, coding)) named = q;
    if (name == "*") any = q;
  });
  return named >= 0 ? named > 0 : any > 0;
}

}  // namespace mediagen
