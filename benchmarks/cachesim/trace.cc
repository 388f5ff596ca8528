#include "cachesim/trace.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen::cachesim {
namespace {

constexpr size_t kLongestLine = 64 << 10;
constexpr uint64_t kMostBlocks = uint64_t{1} << 32;  // of one ARC line
constexpr size_t kOracleRecord = 24;
constexpr std::string_view kBlanks = " \t,";

uint64_t BigEndian(const char* bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}
uint64_t LittleEndian(const char* bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

// Takes the next field off the front; empty when there is none.
std::string_view TakeField(std::string_view* line) {
  line->remove_prefix(std::min(line->find_first_not_of(kBlanks), line->size()));
  const std::string_view field = line->substr(0, line->find_first_of(kBlanks));
  line->remove_prefix(field.size());
  return field;
}

std::optional<uint64_t> Number(std::string_view field) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || field.empty()) return std::nullopt;
  return value;
}

bool Passed(std::string_view line) {
  const size_t first = line.find_first_not_of(kBlanks);
  return first == std::string_view::npos || line[first] == '#';
}

}  // namespace

std::optional<TraceFormat> FormatOf(std::string_view name) {
  constexpr std::pair<std::string_view, TraceFormat> kNames[] = {
      {"keys", TraceFormat::kKeys},       {"arc", TraceFormat::kArc},
      {"sized", TraceFormat::kSized},     {"int32be", TraceFormat::kInt32Be},
      {"int64be", TraceFormat::kInt64Be}, {"oracle", TraceFormat::kOracle}};
  for (const auto& [known, format] : kNames) {
    if (name == known) return format;
  }
  return std::nullopt;
}

TraceReader::TraceReader(std::unique_ptr<Input> input, TraceFormat format)
    : input_(std::move(input)), format_(format), buffer_(2 * kLongestLine) {}

StatusOr<size_t> TraceReader::Read(std::span<Request> requests) {
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i] = {};
    auto more = Next(&requests[i]);
    if (!more.ok()) return more.status();
    if (!*more) return i;
  }
  return requests.size();
}

StatusOr<bool> TraceReader::Next(Request* request) {
  switch (format_) {
    case TraceFormat::kKeys: {
      std::string_view line;
      do {
        auto more = NextLine(&line);
        if (!more.ok() || !*more) return more;
      } while (line.empty());
      request->key = Xxh3(line);
      return true;
    }
    case TraceFormat::kArc:
      return NextOfArc(request);
    case TraceFormat::kSized:
      return NextSized(request);
    case TraceFormat::kInt32Be:
    case TraceFormat::kInt64Be:
    case TraceFormat::kOracle:
      return NextBinary(request);
  }
  return false;
}

StatusOr<bool> TraceReader::NextOfArc(Request* request) {
  while (blocks_ == 0) {
    std::string_view line;
    auto more = NextLine(&line);
    if (!more.ok() || !*more) return more;
    if (Passed(line)) continue;
    const auto start = Number(TakeField(&line)), count = Number(TakeField(&line));
    if (!start || !count) return BadLine("has no \"start count\" of two numbers");
    if (*count > kMostBlocks || *start + *count < *start) return BadLine("has too many blocks");
    block_ = *start;
    blocks_ = *count;
  }
  request->key = block_++;
  --blocks_;
  return true;
}

StatusOr<bool> TraceReader::NextSized(Request* request) {
  std::string_view line;
  do {
    auto more = NextLine(&line);
    if (!more.ok() || !*more) return more;
  } while (Passed(line));
  TakeField(&line);
  const std::string_view id = TakeField(&line);
  const auto size = Number(TakeField(&line));
  if (!size) return BadLine("has no \"time id size\" with a number as its size");
  request->key = Xxh3(id);
  request->size = *size;
  return true;
}

StatusOr<bool> TraceReader::NextBinary(Request* request) {
  const size_t size = format_ == TraceFormat::kInt32Be   ? 4
                      : format_ == TraceFormat::kInt64Be ? 8
                                                         : kOracleRecord;
  const char* record;
  auto more = NextRecord(size, &record);
  if (!more.ok() || !*more) return more;
  if (format_ == TraceFormat::kOracle) {
    request->key = LittleEndian(record + 4, 8);
    request->size = LittleEndian(record + 12, 4);
  } else {
    request->key = BigEndian(record, size);
  }
  return true;
}

StatusOr<bool> TraceReader::NextRecord(size_t size, const char** record) {
  while (end_ - begin_ < size && !ended_) {
    if (Status status = Fill(); !status.ok()) return status;
  }
  if (end_ == begin_) return false;
  if (end_ - begin_ < size) {
    return Error(Code::kCorrupt, fmt::format("the trace ends within a record, {} of {} bytes at byte {}",
                                             end_ - begin_, size, offset_));
  }
  *record = &buffer_[begin_];
  begin_ += size;
  offset_ += size;
  return true;
}

StatusOr<bool> TraceReader::NextLine(std::string_view* line) {
  size_t searched = 0;
  for (;;) {
    const char* first = buffer_.data() + begin_;
    const size_t size = end_ - begin_;
    const void* end = std::memchr(first + searched, '\n', size - searched);
    if (!end && ended_ && size == 0) return false;
    const size_t length = end ? static_cast<size_t>(static_cast<const char*>(end) - first) : size;
    if (length > kLongestLine) {
      ++line_;
      return BadLine(fmt::format("is longer than {} bytes", kLongestLine));
    }
    if (end || ended_) {
      ++line_;
      *line = {first, length};
      if (line->ends_with('\r')) line->remove_suffix(1);
      begin_ += length + (end ? 1 : 0);
      return true;
    }
    searched = size;
    if (Status status = Fill(); !status.ok()) return status;
  }
}

// Moves what is left to the buffer's beginning, and reads behind it.
Status TraceReader::Fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  auto size = input_->Read(std::span(buffer_).subspan(end_));
  if (!size.ok()) return size.status();
  end_ += *size;
  ended_ = *size == 0;
  return OkStatus();
}

Status TraceReader::BadLine(std::string_view what) const {
  return Error(Code::kInvalid, fmt::format("line {} {}", line_, what));
}

}  // namespace mediagen::cachesim
