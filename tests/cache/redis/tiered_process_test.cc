// Two real processes of one namespace: what one invalidates, the other does not serve.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "cache/redis/tiered_fixture.h"

namespace mediagen {
namespace {

using testing::Eventually;
using testing::Node;
using testing::RedisServer;

// Another process that does what it is told, a line at a time: "get KEY", "load KEY SOURCE", "drop TAG".
// Forked before this process has a thread.
class Remote {
 public:
  explicit Remote(const RedisServer& server) {
    int to[2], from[2];
    REQUIRE(pipe(to) == 0);
    REQUIRE(pipe(from) == 0);
    child_ = fork();
    if (child_ == 0) {
      close(to[1]);
      close(from[0]);
      Obey(server, fdopen(to[0], "r"), fdopen(from[1], "w"));
      _exit(0);
    }
    close(to[0]);
    close(from[1]);
    questions_ = fdopen(to[1], "w");
    answers_ = fdopen(from[0], "r");
  }
  ~Remote() {
    fclose(questions_);
    fclose(answers_);
    waitpid(child_, nullptr, 0);
  }
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  std::string Tell(const std::string& order) {
    std::fprintf(questions_, "%s\n", order.c_str());
    std::fflush(questions_);
    return Line(answers_);
  }

 private:
  static std::string Line(std::FILE* file) {
    char text[200] = "";
    if (std::fgets(text, sizeof text, file) == nullptr) return "gone";
    std::string line(text);
    line.pop_back();
    return line;
  }
  static void Obey(const RedisServer& server, std::FILE* in, std::FILE* out) {
    alarm(120);
    Node node(server);
    node.Connected();
    for (std::string line = Line(in); line != "gone"; line = Line(in)) {
      const size_t space = line.find(' '), second = line.find(' ', space + 1);
      const std::string verb = line.substr(0, space), name = line.substr(space + 1, second - space - 1);
      std::string said = "done";
      if (verb == "get") said = node.Get(name);
      if (verb == "load") said = node.Load(name, line.substr(second + 1), {.tags = {"animal"}});
      if (verb == "drop") node.cache->Invalidate(name);
      node.Settle();
      std::fprintf(out, "%s\n", said.c_str());
      std::fflush(out);
    }
  }

  pid_t child_;
  std::FILE *questions_, *answers_;
};

TEST_CASE("two processes share values and hear each other's invalidations") {
  RedisServer server;
  Remote other(server);
  CHECK(other.Tell("load cat meow") == "meow");
  Node here(server);
  CHECK(here.Load("cat", "x") == "meow");
  here.cache->Invalidate("animal");
  here.Settle();
  CHECK(Eventually([&] { return other.Tell("get cat") == ""; }));
  CHECK(other.Tell("load cat newer") == "newer");
  CHECK(here.Load("cat", "x") == "newer");
  const Node::Result load = here.Ask("dog");
  REQUIRE(load.token != 0);
  CHECK(other.Tell("drop animal") == "done");
  (void)here.cache->Fill(load.token, BufferRef::Copy("too old"), {.tags = {"animal"}});
  here.Settle();
  CHECK(Eventually([&] { return here.Get("cat").empty() && here.Get("dog").empty(); }));
  CHECK(other.Tell("load dog woof") == "woof");
}

}  // namespace
}  // namespace mediagen
