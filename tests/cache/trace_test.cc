// Every format a trace may have, plain and compressed, and what is said of one that is broken.
#include "cachesim/trace.h"

#include <doctest/doctest.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <fstream>

#include "base/hash.h"
#include "support/temp_dir.h"

namespace mediagen::cachesim {
namespace {

std::string Gzip(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string Xz(const std::string& text) {
  std::string packed(lzma_stream_buffer_bound(text.size()), '\0');
  size_t size = 0;
  REQUIRE(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, nullptr, reinterpret_cast<const uint8_t*>(text.data()),
                                  text.size(), reinterpret_cast<uint8_t*>(packed.data()), &size,
                                  packed.size()) == LZMA_OK);
  packed.resize(size);
  return packed;
}

std::string Zstd(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  return packed;
}

struct Result {
  std::vector<Request> requests;
  Status status;
};

Result Read(const std::string& bytes, TraceFormat format) {
  testing::TempDir dir;
  const std::string path = dir.path() + "/trace";
  std::ofstream(path, std::ios::binary) << bytes;
  auto input = OpenInput(path);
  if (!input.ok()) return {{}, input.status()};
  TraceReader reader(std::move(*input), format);
  Result result;
  std::vector<Request> batch(7);
  for (;;) {
    auto count = reader.Read(batch);
    if (!count.ok()) {
      result.status = count.status();
      return result;
    }
    if (*count == 0) return result;
    result.requests.insert(result.requests.end(), batch.begin(),
                           batch.begin() + static_cast<ptrdiff_t>(*count));
  }
}

std::vector<uint64_t> KeysOf(const Result& result) {
  std::vector<uint64_t> keys;
  for (const Request& request : result.requests) keys.push_back(request.key);
  return keys;
}

std::string Message(const Status& status) { return InfoOf(status).message; }

TEST_CASE("keys: a line is a key whatever is in it; empty lines and line ends are none") {
  auto read = Read("a b\r\n\n12\n#x\r\n\r\n12", TraceFormat::kKeys);
  REQUIRE(read.status.ok());
  CHECK(KeysOf(read) == std::vector<uint64_t>{Xxh3("a b"), Xxh3("12"), Xxh3("#x"), Xxh3("12")});
  CHECK(read.requests[0].size == 1);
  CHECK(Read("", TraceFormat::kKeys).requests.empty());
}

TEST_CASE("arc: a line is as many requests as it has blocks, whatever follows") {
  auto read = Read("# trace\n10 3 0 0\r\n\n7 1 5 17 extra\n5 0 0 0\n", TraceFormat::kArc);
  REQUIRE(read.status.ok());
  CHECK(KeysOf(read) == std::vector<uint64_t>{10, 11, 12, 7});
}

TEST_CASE("sized: time, id and size by blanks or commas, an id may be any string") {
  auto read = Read("1 cat 100\n2.5,dog,7,more\n#\n3\tcat\t0\n", TraceFormat::kSized);
  REQUIRE(read.status.ok());
  CHECK(KeysOf(read) == std::vector<uint64_t>{Xxh3("cat"), Xxh3("dog"), Xxh3("cat")});
  CHECK(read.requests[0].size == 100);
  CHECK(read.requests[1].size == 7);
  CHECK(read.requests[2].size == 0);
}

TEST_CASE("int32be, int64be and oracle: packed records") {
  using namespace std::string_literals;
  CHECK(KeysOf(Read("\0\0\1\2\xFF\0\0\1"s, TraceFormat::kInt32Be)) ==
        std::vector<uint64_t>{0x102, 0xFF000001});
  CHECK(KeysOf(Read("\0\0\0\0\0\0\1\2"s, TraceFormat::kInt64Be)) == std::vector<uint64_t>{0x102});
  auto read =
      Read("\1\0\0\0\x2A\0\0\0\0\0\0\x80\0\2\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, TraceFormat::kOracle);
  REQUIRE(read.status.ok());
  REQUIRE(read.requests.size() == 1);
  CHECK(read.requests[0].key == 0x800000000000002A);
  CHECK(read.requests[0].size == 512);
}

TEST_CASE("gzip, xz and zstd are told by their bytes; several members are one trace") {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i % 7'777) + " " + std::to_string(i) + "\n";
  const auto plain = KeysOf(Read(text + text, TraceFormat::kKeys));
  REQUIRE(plain.size() == 100'000);
  for (auto pack : {Gzip, Xz, Zstd}) {
    CHECK(KeysOf(Read(pack(text) + pack(text), TraceFormat::kKeys)) == plain);
    CHECK(Read(pack(""), TraceFormat::kKeys).status.ok());
  }
  CHECK(KeysOf(Read(Gzip(text + text) + std::string(100, '\0'), TraceFormat::kKeys)) == plain);
}

TEST_CASE("a compressed trace that is cut off or has rubbish in it is an error, never a shorter trace") {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919) + "\n";
  for (auto pack : {Gzip, Xz, Zstd}) {
    const std::string packed = pack(text);
    for (size_t size : {packed.size() - 1, packed.size() / 2, size_t{8}}) {
      auto cut = Read(packed.substr(0, size), TraceFormat::kKeys);
      CHECK(CodeOf(cut.status) == Code::kCorrupt);
      CHECK(Message(cut.status).find("ends too early, at byte " + std::to_string(size)) != std::string::npos);
    }
    std::string spoilt = packed;
    for (size_t i = packed.size() / 2; i < packed.size() / 2 + 40; ++i) spoilt[i] = '\x55';
    CHECK(CodeOf(Read(spoilt, TraceFormat::kKeys).status) == Code::kCorrupt);
    CHECK_FALSE(Read(packed + "rubbish", TraceFormat::kKeys).status.ok());
  }
}

TEST_CASE("a broken record is named by its line or byte") {
  CHECK(Message(Read("1 2 0 0\nx 2 0 0\n", TraceFormat::kArc).status).starts_with("line 2 "));
  CHECK(Message(Read("5\n", TraceFormat::kArc).status).starts_with("line 1 "));
  CHECK(Message(Read("5 18446744073709551615 0 0\n", TraceFormat::kArc).status) ==
        "line 1 has too many blocks");
  CHECK(Message(Read("1 a 2\n\n1 a -2\n", TraceFormat::kSized).status).starts_with("line 3 "));
  CHECK(Message(Read("1 a\n", TraceFormat::kSized).status).starts_with("line 1 "));
  CHECK(Message(Read("abcdefg", TraceFormat::kInt32Be).status) ==
        "the trace ends within a record, 3 of 4 bytes at byte 4");
  CHECK_FALSE(Read(std::string(25, 'x'), TraceFormat::kOracle).status.ok());
  CHECK(Message(Read("a\n" + std::string(200'000, 'x'), TraceFormat::kKeys).status) ==
        "line 2 is longer than 65536 bytes");
}

TEST_CASE("a file that is not there, or a folder, is said to be so") {
  testing::TempDir dir;
  CHECK(CodeOf(OpenInput(dir.path() + "/none").status()) == Code::kNotFound);
  CHECK(CodeOf(OpenInput(dir.path()).status()) == Code::kUnavailable);
  CHECK(FormatOf("oracle") == TraceFormat::kOracle);
  CHECK_FALSE(FormatOf("csv").has_value());
}

}  // namespace
}  // namespace mediagen::cachesim
