// Input: the bytes of a file or of stdin, decompressed on the way when they are gzip, xz or zstd. What they
// are is told by their first bytes, never by a name. Streams: the memory is bounded whatever the file's size.
//
// Not thread-safe. Several members or frames one after the other are one stream, as gzip, xz and zstd have
// it.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/status.h"

namespace mediagen::cachesim {

class Input {
 public:
  virtual ~Input() = default;

  // Fills `room`, which is not empty, from its beginning; 0 is the end. kCorrupt names the file and the place
  // where it is broken or ends too early; kUnavailable says why the system cannot read it.
  virtual StatusOr<size_t> Read(std::span<char> room) = 0;
};

// "-" is stdin. kNotFound when there is no such file.
StatusOr<std::unique_ptr<Input>> OpenInput(const std::string& path);

}  // namespace mediagen::cachesim
