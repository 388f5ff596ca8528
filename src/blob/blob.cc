#include "blob/blob.h"

#include "base/hash.h"
#include "base/text.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kMaxSegmentText =
    200;  // leaves room for a part number, a recipe and an extension in one file name of 255 bytes
constexpr size_t kMaxSegment = 240;
constexpr size_t kMaxKey = 1024;  // S3's limit

bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool IsKeyCharacter(char c) {
  return IsWord(c) || std::string_view(".~@,=").find(c) != std::string_view::npos;
}

// Why `segment` cannot stand in a key; "" when it can.
std::string_view SegmentProblem(std::string_view segment) {
  if (segment.empty()) return "has an empty segment";
  if (segment == "." || segment == "..") return "has a segment of dots";
  if (segment.size() > kMaxSegment) return "has a segment of more than 240 bytes";
  for (char c : segment) {
    if (!IsKeyCharacter(c)) return "has a character other than A-Z a-z 0-9 _ . ~ @ , = - and /";
  }
  return {};
}

}  // namespace

std::string BlobSegment(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string segment;
  for (char c : text) {
    if (IsWord(c)) {
      segment.push_back(c);
    } else {
      auto byte = static_cast<unsigned char>(c);
      segment.append({'=', kHex[byte >> 4], kHex[byte & 15]});
    }
    if (segment.size() > kMaxSegmentText) break;
  }
  if (!segment.empty() && segment.size() <= kMaxSegmentText) return segment;
  Sha256Digest digest = Sha256(text);
  return fmt::format("~{}", Base32({reinterpret_cast<const char*>(digest.data()), digest.size()}));
}

Status CheckBlobKey(std::string_view key) {
  std::string_view problem = key.size() > kMaxKey ? "has more than 1024 bytes" : "";
  for (size_t begin = 0; problem.empty();) {
    size_t end = key.find('/', begin);
    problem = SegmentProblem(key.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  if (problem.empty()) return OkStatus();
  return Error(Code::kInvalid, fmt::format("The blob key \"{}\" {}.", Shorten(key, 80), problem));
}

}  // namespace mediagen
