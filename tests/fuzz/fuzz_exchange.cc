// One HTTP request as a client may send it: target, then header lines, then a representation's size.
#include "api/conditional.h"
#include "api/negotiate.h"
#include "api/router.h"
#include "fuzz/input.h"
#include "net/http_client.h"
#include "net/http_date.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  if (size == 0) return 0;
  const uint64_t bytes = uint64_t{data[0]} * 1000;
  std::string_view rest = fuzz::Text(data + 1, size - 1);
  std::string_view target = fuzz::TakeTo('\n', &rest);
  ParseUrl(target).IgnoreError();
  ParseHttpDate(rest).IgnoreError();
  StatusOr<ApiRequest> request = ParseRequest("GET", target, rest, "", "");
  if (!request.ok()) return 0;
  constexpr std::string_view kEtag = "\"0123456789abcdef\"";
  CheckPreconditions(*request, kEtag);
  ByteRange range;
  if (CheckRange(*request, kEtag, bytes, &range) == RangeResult::kPartial) {
    fuzz::Require(range.length > 0 && range.offset < bytes, "a range begins inside");
    fuzz::Require(range.length <= bytes - range.offset, "a range ends inside");
  }
  for (const auto& [name, value] : request->headers) {
    fuzz::Require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
                  "one line a header");
    NegotiateFormat(value, Format::kPng);
    AcceptsCoding(value, "zstd");
    EtagListHolds(value, kEtag, true);
  }
  return 0;
}
