#include "cachesim/decoder.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>

#include "fmt/format.h"

namespace mediagen::cachesim {
namespace {

constexpr uint64_t kMostXzMemory = 256 << 20;  // "xz -9" needs 65 MiB
constexpr int kLargestZstdWindow = 27;         // log2; what the zstd tool accepts without being told

template <class Size>
Size Capped(size_t size) {
  return static_cast<Size>(std::min<size_t>(size, std::numeric_limits<Size>::max()));
}

// RFC 1952.
class Gzip final : public Decoder {
 public:
  Gzip() { inflateInit2(&stream_, 15 + 16); }  // the largest window, a gzip header
  ~Gzip() override { inflateEnd(&stream_); }

  Status Decode(std::span<const char>* in, std::span<char>* out, bool) override {
    if (complete_) {
      // Some tools fill a last block with zeros.
      while (!in->empty() && in->front() == 0) *in = in->subspan(1);
      if (in->empty()) return OkStatus();
      inflateReset(&stream_);
      complete_ = false;
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in->data()));
    stream_.avail_in = Capped<uInt>(in->size());
    stream_.next_out = reinterpret_cast<Bytef*>(out->data());
    stream_.avail_out = Capped<uInt>(out->size());
    const int code = inflate(&stream_, Z_NO_FLUSH);
    *in = in->last(in->size() - static_cast<size_t>(reinterpret_cast<char*>(stream_.next_in) - in->data()));
    *out =
        out->last(out->size() - static_cast<size_t>(reinterpret_cast<char*>(stream_.next_out) - out->data()));
    complete_ = code == Z_STREAM_END;
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR) return OkStatus();
    return Error(Code::kCorrupt,
                 fmt::format("the gzip stream is broken: {}", stream_.msg ? stream_.msg : zError(code)));
  }
  bool Complete() const override { return complete_; }

 private:
  z_stream stream_{};
  bool complete_ = false;
};

class Xz final : public Decoder {
 public:
  Xz() { start_ = lzma_stream_decoder(&stream_, kMostXzMemory, LZMA_CONCATENATED); }
  ~Xz() override { lzma_end(&stream_); }

  Status Decode(std::span<const char>* in, std::span<char>* out, bool last) override {
    stream_.next_in = reinterpret_cast<const uint8_t*>(in->data());
    stream_.avail_in = in->size();
    stream_.next_out = reinterpret_cast<uint8_t*>(out->data());
    stream_.avail_out = out->size();
    const lzma_ret code = start_ != LZMA_OK ? start_ : lzma_code(&stream_, last ? LZMA_FINISH : LZMA_RUN);
    *in = in->last(stream_.avail_in);
    *out = out->last(stream_.avail_out);
    complete_ = code == LZMA_STREAM_END;
    if (code == LZMA_OK || code == LZMA_STREAM_END || code == LZMA_BUF_ERROR) return OkStatus();
    if (code == LZMA_MEMLIMIT_ERROR) return Error(Code::kTooLarge, "the xz stream needs more than 256 MiB");
    return Error(Code::kCorrupt, fmt::format("the xz stream is broken (liblzma's code {})", int{code}));
  }
  bool Complete() const override { return complete_; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  lzma_ret start_;
  bool complete_ = false;
};

// RFC 8878.
class Zstd final : public Decoder {
 public:
  Zstd() : stream_(ZSTD_createDStream()) {
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kLargestZstdWindow);
  }
  ~Zstd() override { ZSTD_freeDStream(stream_); }

  Status Decode(std::span<const char>* in, std::span<char>* out, bool) override {
    if (in->empty() && complete_) return OkStatus();
    ZSTD_inBuffer from{in->data(), in->size(), 0};
    ZSTD_outBuffer to{out->data(), out->size(), 0};
    const size_t code = ZSTD_decompressStream(stream_, &to, &from);
    *in = in->subspan(from.pos);
    *out = out->subspan(to.pos);
    if (ZSTD_isError(code) != 0)
      return Error(Code::kCorrupt, fmt::format("the zstd stream is broken: {}", ZSTD_getErrorName(code)));
    complete_ = code == 0;
    return OkStatus();
  }
  bool Complete() const override { return complete_; }

 private:
  ZSTD_DStream* const stream_;
  bool complete_ = false;
};

}  // namespace

std::unique_ptr<Decoder> DecoderFor(std::string_view first) {
  using namespace std::string_view_literals;
  if (first.starts_with("\x1F\x8B\x08"sv)) return std::make_unique<Gzip>();
  if (first.starts_with("\xFD"
                        "7zXZ\0"sv)) {
    return std::make_unique<Xz>();
  }
  // A skippable frame, too, may be the first.
  if (first.starts_with("\x28\xB5\x2F\xFD"sv) ||
      (first.size() >= 4 && (first[0] & 0xF0) == 0x50 && first.substr(1).starts_with("\x2A\x4D\x18"sv))) {
    return std::make_unique<Zstd>();
  }
  return nullptr;
}

}  // namespace mediagen::cachesim
