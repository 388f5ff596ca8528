#include "base/hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

using namespace mediagen;

TEST_CASE("SHA-256 gives NIST's digests (FIPS 180-4 examples), whole and in pieces") {
  struct Row {
    std::string text;
    std::string_view hex;
  };
  const Row rows[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const Row& row : rows) {
    CHECK(Hex(Sha256(row.text)) == row.hex);
    Sha256Stream stream;
    std::string_view rest = row.text;
    stream.Update("");
    for (size_t size = 1; !rest.empty(); size = size * 3 + 1) {
      stream.Update(rest.substr(0, size));
      rest.remove_prefix(std::min(size, rest.size()));
    }
    CHECK(Hex(stream.Finish()) == row.hex);
  }
}

TEST_CASE("HMAC-SHA-256 gives RFC 4231's values") {
  struct Row {
    std::string key, data;
    std::string_view hex;
  };
  const Row rows[] = {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {UnHex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The key needs "
       "to be hashed before being used by the "
       "HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
      {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
  };
  for (const Row& row : rows) CHECK(Hex(HmacSha256(row.key, row.data)) == row.hex);
  CHECK(HmacSha256({}, {}) == HmacSha256("", ""));
}

TEST_CASE("hashes are the same on every thread") {
  std::vector<std::string> seen(4);
  std::vector<std::thread> threads;
  for (auto& mine : seen) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) mine = Hex(HmacSha256("k", Hex(Sha256("v"))));
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& one : seen) CHECK(one == Hex(HmacSha256("k", Hex(Sha256("v")))));
}

TEST_CASE("XXH3 gives the reference values and heeds its seed") {
  CHECK(Xxh3("") == 0x2D06800538D394C2u);
  CHECK(Xxh3("", 0x9E3779B185EBCA8Du) != Xxh3(""));
  CHECK(Xxh3("key") == Xxh3("key", 0));
  CHECK(Xxh3("key", 1) != Xxh3("key", 2));
}

TEST_CASE("hex is written small and read in either case") {
  CHECK(Hex(std::string_view("\0\x0f\xf0\xff", 4)) == "000ff0ff");
  CHECK(UnHex("000fF0Ff") == std::string("\0\x0f\xf0\xff", 4));
  CHECK(Hex("").empty());
  for (const char* bad : {"", "0", "0g", "g0", "00 ", "0x00", "000"}) CHECK(UnHex(bad).empty());
}

TEST_CASE("base32 gives RFC 4648's examples, small and without padding") {
  const std::pair<std::string_view, std::string_view> rows[] = {{"", ""},
                                                                {"f", "my"},
                                                                {"fo", "mzxq"},
                                                                {"foo", "mzxw6"},
                                                                {"foob", "mzxw6yq"},
                                                                {"fooba", "mzxw6ytb"},
                                                                {"foobar", "mzxw6ytboi"}};
  for (const auto& [text, base32] : rows) CHECK(Base32(text) == base32);
  CHECK(Base32(std::string(32, '\xff')) == std::string(51, '7') + "q");
}

TEST_CASE("equality without a clock's help") {
  CHECK(EqualsInConstantTime("", ""));
  CHECK(EqualsInConstantTime("secret", "secret"));
  CHECK_FALSE(EqualsInConstantTime("secret", "secreT"));
  CHECK_FALSE(EqualsInConstantTime("secret", "secre"));
  CHECK_FALSE(EqualsInConstantTime(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}
