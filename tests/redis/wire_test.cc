// RESP2: commands as bytes, replies in pieces of any size, and what is no RESP or too much of it.
#include "redis/wire.h"

#include <doctest/doctest.h>

#include <array>

#include "base/id.h"
#include "redis/redirect.h"

namespace mediagen::redis {
namespace {

using namespace std::string_view_literals;

std::string Bytes(std::initializer_list<std::string_view> words) {
  return CommandBytes(std::span(words.begin(), words.size()));
}

// Feeds `bytes` in pieces of `piece` and collects what comes out, until the first error.
std::vector<RedisReply> ReadAll(std::string_view bytes, size_t piece, Status* error, size_t most = 1 << 20) {
  ReplyReader reader(most);
  std::vector<RedisReply> replies;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.Feed(bytes.substr(at, piece));
    while (true) {
      RedisReply reply;
      auto whole = reader.Next(&reply);
      if (!whole.ok()) {
        *error = whole.status();
        return replies;
      }
      if (!*whole) break;
      replies.push_back(std::move(reply));
    }
  }
  return replies;
}

TEST_CASE("a command is written with the lengths of its arguments, whatever bytes they hold") {
  CHECK(Bytes({"GET", "k"}) == "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
  CHECK(Bytes({"SET", "a\0\r\n"sv, ""}) == "*3\r\n$3\r\nSET\r\n$4\r\na\0\r\n\r\n$0\r\n\r\n"sv);
}

TEST_CASE("every kind of reply, in pieces of every size") {
  const std::string bytes =
      "+OK\r\n:-42\r\n$-1\r\n$5\r\nab\r\nc\r\n*0\r\n*-1\r\n*3\r\n$1\r\nx\r\n*2\r\n:7\r\n-ERR in\r\n$-1\r\n"
      "-WRONGTYPE no\r\n:9223372036854775807\r\n";
  for (size_t piece : {size_t{1}, size_t{2}, size_t{7}, bytes.size()}) {
    CAPTURE(piece);
    Status error;
    std::vector<RedisReply> replies = ReadAll(bytes, piece, &error);
    CHECK(error.ok());
    REQUIRE(replies.size() == 9);
    CHECK(replies[0].text == "OK");
    CHECK(replies[1].integer == -42);
    CHECK(replies[2].nil());
    CHECK(replies[3].text == "ab\r\nc");
    CHECK(replies[4].is_array());
    CHECK(replies[4].elements.empty());
    CHECK(replies[5].nil());
    REQUIRE(replies[6].elements.size() == 3);
    CHECK(replies[6].elements[0].text == "x");
    CHECK(replies[6].elements[1].elements[0].integer == 7);
    CHECK(replies[6].elements[1].elements[1].kind == RedisReply::Kind::kError);
    CHECK(replies[6].elements[2].nil());
    CHECK(replies[7].kind == RedisReply::Kind::kError);
    CHECK(replies[7].text == "WRONGTYPE no");
    CHECK(replies[8].integer == INT64_MAX);
  }
}

TEST_CASE("what is no RESP is refused") {
  for (const char* bytes :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", ":12x\r\n", "$x\r\n", "$-7\r\n", "*-9\r\n", "%1\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "\r\n"}) {
    CAPTURE(bytes);
    Status error;
    ReadAll(bytes, 3, &error);
    CHECK(CodeOf(error) == Code::kInvalid);
  }
  Status error;
  ReadAll("+" + std::string(200'000, 'x'), 10'000, &error);
  CHECK(CodeOf(error) == Code::kInvalid);
}

TEST_CASE("a reply is bounded: by what it announces, by what comes, and by what its parts take") {
  constexpr size_t kMost = 100'000;
  Status error;
  auto fits = ReadAll("$100000\r\n" + std::string(100'000, 'x') + "\r\n+next\r\n", 16'384, &error, kMost);
  CHECK(error.ok());
  CHECK(fits.size() == 2);
  for (const std::string& bytes :
       {"$2000000000\r\n" + std::string(200'000, 'x'), "$100001\r\n" + std::string(100'001, 'x') + "\r\n",
        std::string("*1000000\r\n"), std::string("*2147483647\r\n"),
        "*2\r\n$60000\r\n" + std::string(60'000, 'x') + "\r\n$60000\r\n" + std::string(60'000, 'x') +
            "\r\n"}) {
    error = OkStatus();
    CHECK(ReadAll(bytes, 16'384, &error, kMost).empty());
    CHECK(CodeOf(error) == Code::kTooLarge);
  }
}

TEST_CASE("bytes by chance end in an error or nothing, never in a crash") {
  auto random = SeededRandom(7);
  constexpr std::string_view kAlphabet = "*$:+-0123456789\r\nx";
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes;
    for (uint64_t left = random->Below(60); left > 0; --left)
      bytes += kAlphabet[random->Below(kAlphabet.size())];
    Status error;
    ReadAll(bytes, 1 + random->Below(8), &error, 10'000);
    if (!error.ok()) REQUIRE((CodeOf(error) == Code::kInvalid || CodeOf(error) == Code::kTooLarge));
  }
}

TEST_CASE("what Redis refuses has a code, and repeats no argument") {
  CHECK(CodeOf(RedisError("NOAUTH Authentication required.")) == Code::kUnauthorized);
  CHECK(CodeOf(RedisError("NOPERM this user has no permissions")) == Code::kForbidden);
  CHECK(CodeOf(RedisError("LOADING Redis is loading the dataset in memory")) == Code::kUnavailable);
  CHECK(CodeOf(RedisError("READONLY You can't write against a read only replica.")) == Code::kUnavailable);
  CHECK(CodeOf(RedisError("OOM command not allowed")) == Code::kOverloaded);
  CHECK(CodeOf(RedisError("WRONGTYPE Operation")) == Code::kConflict);
  CHECK(CodeOf(RedisError("BUSYGROUP Consumer Group name already exists")) == Code::kInvalid);
  CHECK(CodeOf(RedisError("ERR syntax error")) == Code::kInvalid);
  CHECK(CodeOf(RedisError("")) == Code::kInvalid);
  Status unknown = RedisError("ERR unknown command 'X', with args beginning with: 'hunter2' ");
  CHECK(unknown.ToString().find("hunter2") == std::string::npos);
  CHECK(InfoOf(unknown).message.find("unknown command") != std::string::npos);
}

TEST_CASE("where a key of a cluster is, as a node says it") {
  auto v4 = RedisMovedTo("MOVED 3999 10.0.0.2:6381");
  REQUIRE(v4);
  CHECK(v4->host == "10.0.0.2");
  CHECK(v4->port == 6381);
  CHECK(RedisMovedTo("MOVED 1 ::1:7000")->host == "::1");
  CHECK(RedisMovedTo("MOVED 1 node-2.example:7000")->host == "node-2.example");
  CHECK(RedisMovedTo("MOVED 1 :7000")->host.empty());
  for (const char* text :
       {"MOVED", "MOVED 1", "MOVED 1 host", "MOVED 1 host:", "MOVED 1 host:0", "MOVED 1 host:65536",
        "MOVED 1 host:7x", "MOVED 1 ?:7000", "ASK 1 host:7000", "MOVEDX 1 host:7000", ""}) {
    CAPTURE(text);
    CHECK(!RedisMovedTo(text));
  }
}

}  // namespace
}  // namespace mediagen::redis
