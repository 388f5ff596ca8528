// Redis URLs: what each form means, what is refused, and that no error repeats a password.
#include "redis/url.h"

#include <doctest/doctest.h>

namespace mediagen {
namespace {

RedisUrl Parsed(std::string_view text) {
  auto url = ParseRedisUrl(text);
  REQUIRE_MESSAGE(url.ok(), text);
  return *url;
}

TEST_CASE("hosts, ports, databases, users and passwords of a Redis URL") {
  RedisUrl plain = Parsed("redis://localhost");
  CHECK(plain.host == "localhost");
  CHECK(plain.port == 6379);
  CHECK(plain.db == 0);
  CHECK(plain.Where() == "redis://localhost:6379");
  RedisUrl full = Parsed("REDIS://ann:p%40ss%3aword@10.0.0.7:7000/3");
  CHECK(full.user == "ann");
  CHECK(full.password == "p@ss:word");
  CHECK(full.host == "10.0.0.7");
  CHECK(full.port == 7000);
  CHECK(full.db == 3);
  CHECK(full.Where() == "redis://10.0.0.7:7000/3");
  RedisUrl password_alone = Parsed("redis://:secret@h/");
  CHECK(password_alone.user.empty());
  CHECK(password_alone.password == "secret");
  CHECK(Parsed("redis://:a:b@c@h").password == "a:b@c");
  RedisUrl v6 = Parsed("redis://[::1]:6380/1");
  CHECK(v6.host == "::1");
  CHECK(v6.port == 6380);
  CHECK(v6.Where() == "redis://[::1]:6380/1");
}

TEST_CASE("Unix sockets of a Redis URL") {
  for (const char* text :
       {"redis+unix:///run/redis.sock", "unix:/run/redis.sock", "unix:///run/redis.sock"}) {
    RedisUrl url = Parsed(text);
    CHECK(url.path == "/run/redis.sock");
    CHECK(url.host.empty());
    CHECK(url.Where() == "redis+unix:///run/redis.sock");
  }
  RedisUrl url = Parsed("redis+unix://:pw@/run/my%20redis.sock?db=4&x=1");
  CHECK(url.path == "/run/my redis.sock");
  CHECK(url.password == "pw");
  CHECK(url.db == 4);
  CHECK(url.query.size() == 1);
}

TEST_CASE("parameters of a Redis URL are taken by who knows them, and none is ignored") {
  RedisUrl url = Parsed("redis://h?onFailure=open&prefix=a%26b&empty&twice=1&twice=2");
  CHECK(url.Take("onFailure")->value() == "open");
  CHECK(!url.Take("onFailure")->has_value());
  CHECK(url.Take("prefix")->value() == "a&b");
  CHECK(CodeOf(url.Take("twice").status()) == Code::kInvalid);
  Status left = url.CheckAllTaken();
  CHECK(CodeOf(left) == Code::kInvalid);
  CHECK(InfoOf(left).message.find("empty") != std::string::npos);
  CHECK(url.Take("empty")->value().empty());
}

TEST_CASE("what is no Redis URL is refused, and the refusal holds nothing of it") {
  const std::string long_path(200, 'x');
  for (const std::string& text : {std::string("http://hunter2@h"),
                                  std::string("redis:h"),
                                  std::string(""),
                                  std::string("redis://"),
                                  std::string("redis://hunter2@h"),
                                  std::string("redis://ann:@h"),
                                  std::string("redis://h:0"),
                                  std::string("redis://h:70000"),
                                  std::string("redis://h:-1"),
                                  std::string("redis://h:"),
                                  std::string("redis://h/x"),
                                  std::string("redis://h/99999999"),
                                  std::string("redis://h/1/2"),
                                  std::string("redis://[::1"),
                                  std::string("redis://[::1]x"),
                                  std::string("redis://a b"),
                                  std::string("redis://:hunter2%4@h"),
                                  std::string("redis://:hunter2%zz@h"),
                                  std::string("redis+unix://relative"),
                                  std::string("unix:"),
                                  "unix:/" + long_path,
                                  std::string("unix:/a%00b"),
                                  std::string("unix:/a?db=x"),
                                  "redis://" + std::string(5'000, 'h')}) {
    CAPTURE(text);
    auto url = ParseRedisUrl(text);
    CHECK(CodeOf(url.status()) == Code::kInvalid);
    CHECK(url.status().ToString().find("hunter2") == std::string::npos);
  }
  auto tls = ParseRedisUrl("rediss://:hunter2@h");
  CHECK(CodeOf(tls.status()) == Code::kUnsupported);
  CHECK(tls.status().ToString().find("hunter2") == std::string::npos);
}

}  // namespace
}  // namespace mediagen
