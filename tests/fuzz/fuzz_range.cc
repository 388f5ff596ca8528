// Range and If-Range (RFC 9110 §13.1.5, §14): as they come, and as numbers whose answer arithmetic gives.
#include <fmt/format.h>

#include "api/conditional.h"
#include "fuzz/exchange.h"

namespace mediagen::fuzz {
namespace {

void CheckInside(RangeResult result, const ByteRange& range, uint64_t size) {
  if (result != RangeResult::kPartial) return Require(range.offset == 0 && range.length == size, "all of it");
  Require(range.length > 0 && range.offset < size, "a range begins inside");
  Require(range.length <= size - range.offset, "a range ends inside");
}

// A size, If-Range in the first line, Range in what follows.
void CheckAsItComes(std::string_view rest) {
  const uint64_t size = TakeNumber(2, &rest);
  const std::string if_range(TakeTo('\n', &rest)), value(rest);
  ByteRange range;
  RangeResult result = CheckRange(With("GET", {{"range", value}}), kEtag, size, &range);
  CheckInside(result, range, size);
  const ByteRange without = range;
  const RangeResult result_without = result;
  result = CheckRange(With("GET", {{"range", value}, {"if-range", if_range}}), kEtag, size, &range);
  CheckInside(result, range, size);
  const bool current = Trim(if_range) == kEtag;
  if (!current) Require(result == RangeResult::kWhole, "a part of another version is of no use");
  if (current)
    Require(result == result_without && range.offset == without.offset && range.length == without.length,
            "the same version, the same part");
  if (Trim(value).empty()) Require(result == RangeResult::kWhole, "nothing was asked for");
  if (result == RangeResult::kUnsatisfiable)
    Require(value.find('-') != std::string::npos, "what is malformed is ignored, not refused");
  ByteRange none;
  for (const char* method : {"HEAD", "POST"}) {
    Require(CheckRange(With(method, {{"range", value}}), kEtag, size, &none) == RangeResult::kWhole,
            "a range is for GET");
    CheckInside(RangeResult::kWhole, none, size);
  }
  const std::string weak = fmt::format("W/{}", kEtag);
  Require(CheckRange(With("GET", {{"range", value}, {"if-range", weak}}), kEtag, size, &none) ==
              RangeResult::kWhole,
          "If-Range compares strongly");
}

void CheckNumbers(std::string_view rest) {
  const uint64_t size = TakeNumber(8, &rest), first = TakeNumber(8, &rest), last = TakeNumber(8, &rest);
  const auto ask = [&](const std::string& value, ByteRange* range) {
    return CheckRange(With("GET", {{"range", value}, {"if-range", std::string(kEtag)}}), kEtag, size, range);
  };
  ByteRange range;
  RangeResult result = ask(fmt::format("bytes={}-{}", first, last), &range);
  if (last < first)
    Require(result == RangeResult::kWhole, "a range that ends before it begins is ignored");
  else if (first >= size)
    Require(result == RangeResult::kUnsatisfiable, "a range behind the end");
  else
    Require(result == RangeResult::kPartial && range.offset == first &&
                range.length == std::min(last, size - 1) - first + 1,
            "from the first to the last byte");
  result = ask(fmt::format("bytes={}-", first), &range);
  if (first < size)
    Require(result == RangeResult::kPartial && range.offset == first && range.length == size - first,
            "from the first byte on");
  result = ask(fmt::format("bytes=-{}", last), &range);
  if (last == 0)
    Require(result == RangeResult::kUnsatisfiable, "no bytes are no range");
  else if (size == 0)
    Require(result == RangeResult::kWhole, "of nothing there is no part");
  else
    Require(result == RangeResult::kPartial && range.length == std::min(last, size) &&
                range.offset == size - range.length,
            "the last bytes");
  Require(ask(fmt::format("bytes={}-{},0-0", first, last), &range) == RangeResult::kWhole,
          "several are answered whole");
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  fuzz::CheckAsItComes(fuzz::Text(data, size));
  fuzz::CheckNumbers(fuzz::Text(data, size));
  return 0;
}
