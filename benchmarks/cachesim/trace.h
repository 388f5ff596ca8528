// TraceReader: the requests of a trace, one after the other, from any of the formats that cache research has.
//
// Not thread-safe. Text formats end their lines with LF or CR LF; empty lines are passed over, and in arc and
// sized those that begin with '#', too. A key is 64 bits: a number as it is, a string by its hash.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cachesim/input.h"

namespace mediagen::cachesim {

enum class TraceFormat {
  kKeys,  // a line is a key, whatever it has in it
  kArc,  // "start count …": the keys start, start + 1, … of `count` requests (the traces of the ARC paper)
  kSized,    // "time id size …", apart by blanks or commas; an id is any string
  kInt32Be,  // each four bytes a key
  kInt64Be,  // each eight bytes a key
  kOracle,   // libCacheSim's oracleGeneral, little-endian: uint32 time, uint64 id, uint32 size, int64 next
};

// By the name that the command line has: "keys", "arc", "sized", "int32be", "int64be", "oracle".
std::optional<TraceFormat> FormatOf(std::string_view name);

struct Request {
  uint64_t key = 0;
  uint64_t size = 1;  // bytes; 1 where the format has none
};

class TraceReader {
 public:
  TraceReader(std::unique_ptr<Input> input, TraceFormat format);

  // Fills `requests`, which is not empty, from its beginning; 0 is the end. An error names the line, or the
  // byte after decompression.
  StatusOr<size_t> Read(std::span<Request> requests);

 private:
  StatusOr<bool> Next(Request* request);
  StatusOr<bool> NextRecord(size_t size, const char** record);
  StatusOr<bool> NextLine(std::string_view* line);
  StatusOr<bool> NextOfArc(Request* request);
  StatusOr<bool> NextSized(Request* request);
  StatusOr<bool> NextBinary(Request* request);
  Status Fill();
  Status BadLine(std::string_view what) const;

  const std::unique_ptr<Input> input_;
  const TraceFormat format_;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;  // of what was read and not used
  uint64_t line_ = 0;           // its number, from 1
  uint64_t offset_ = 0;         // of begin_ in the stream
  bool ended_ = false;
  uint64_t block_ = 0, blocks_ = 0;  // what is left of an ARC line
};

}  // namespace mediagen::cachesim
