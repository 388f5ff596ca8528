// limiter-redis: steps of two rules (by user, by address) on a real Redis over a Unix socket, with so many
// callers under way; beside rate-limiter-flexible in its best form, and beside a bare SET by as many callers:
// each with a connection of its own, as callers without a pipeline have it, and pipelined over one by our own
// client. Steps by eight processes on one key are counted: never one too many.
#include <hiredis/hiredis.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "fmt/format.h"
#include "limit/redis/redis.h"
#include "redis/client.h"
#include "support/folder.h"
#include "support/peer.h"
#include "support/report.h"

namespace {

using namespace mediagen;
using namespace mediagen::bench;
using Steady = std::chrono::steady_clock;

constexpr int kUsers = 1'000, kAddresses = 100;

[[noreturn]] void Die(const std::string& what) {
  fmt::print(stderr, "bench limiter-redis: {}\n", what);
  std::exit(1);
}

// Debian's redis-server, without persistence.
class Server {
 public:
  Server() : socket(folder_.path + "/redis.sock") {
    child_ = fork();
    if (child_ == 0) {
      execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket.c_str(), "--save", "",
             "--appendonly", "no", "--loglevel", "warning", "--dir", folder_.path.c_str(), nullptr);
      _exit(127);
    }
    for (int left = 1'000; access(socket.c_str(), F_OK) != 0; --left) {
      if (left == 0 || waitpid(child_, nullptr, WNOHANG) != 0) Die("redis-server did not start");
      usleep(10'000);
    }
  }
  ~Server() {
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
  }
  std::string Url(const std::string& query = "") const { return "redis+unix://" + socket + query; }

 private:
  Folder folder_;
  pid_t child_ = -1;

 public:
  const std::string socket;
};

double PerSecond(int count, Steady::time_point start) {
  return count / std::chrono::duration<double>(Steady::now() - start).count();
}

// `steps` steps, `callers` of them under way at any moment; `step` says when one is over, on whatever thread.
double Rate(int callers, int steps, const std::function<void(int index, std::function<void()> over)>& step) {
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<int> next{0};
  int left = callers;
  std::function<void()> more = [&] {
    const int index = next++;
    if (index < steps) return step(index, more);
    std::lock_guard lock(mutex);
    --left;
    changed.notify_one();
  };
  const auto start = Steady::now();
  for (int i = 0; i < callers; ++i) more();
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return left == 0; });
  return PerSecond(steps, start);
}

struct Bench {
  Server server;
  Report report{"limiter-redis"};
  Peer node{NodePeer("limiter.mjs")};
  std::string node_version, redis_version;
  std::unique_ptr<RedisClient> client;
  std::unique_ptr<Limiter> limiter, exact;

  Bench() {
    client = *NewRedisClient(SystemClock(), *ParseRedisUrl(server.Url()), {.timeout_ms = 10'000});
    limiter = Open({*ParseLimitRule("user", "1000000/s"), *ParseLimitRule("address", "10000000/10s")});
    exact = Open({*ParseLimitRule("user", "30/s"), *ParseLimitRule("address", "10000000/10s")});
    const std::string info = RedisCall(*client, {"INFO", "server"})->text;
    const size_t at = info.find("redis_version:") + 14;
    redis_version = "Redis " + info.substr(at, info.find('\r', at) - at);
  }

  std::unique_ptr<Limiter> Open(std::vector<LimitRule> rules) const {
    auto opened =
        NewRedisLimiter(SystemClock(), server.Url("?onFailure=closed&timeoutMs=10000"), std::move(rules));
    if (!opened.ok()) Die(opened.status().ToString());
    return *std::move(opened);
  }

  Contender Ours(Limiter* which, int callers, int steps) {
    return {"mediagen", [=] {
              return Rate(callers, steps, [which](int index, std::function<void()> over) {
                const std::string user = fmt::format("u{}", index % kUsers),
                                  address = fmt::format("a{}", index % kAddresses);
                const LimitCheck checks[] = {{"user", user, 1}, {"address", address, 1}};
                which->CheckAsync(checks, [over = std::move(over)](StatusOr<LimitDecision> decision) {
                  if (!decision.ok() || decision->degraded) Die("a check failed");
                  over();
                });
              });
            }};
  }
  Contender Flexible(const std::string& form, int callers, int steps) {
    return {"rate-limiter-flexible, " + form, [=, this] {
              const auto answer = node.Ask({{"form", form},
                                            {"socket", server.socket},
                                            {"callers", callers},
                                            {"steps", steps},
                                            {"users", kUsers},
                                            {"addresses", kAddresses}});
              node_version = answer.at("version");
              return answer.at("rate").get<double>();
            }};
  }
  Contender PipelinedSet(int callers, int steps) {
    return {"bare SET, pipelined", [=, this] {
              return Rate(callers, steps, [this](int index, std::function<void()> over) {
                client->Command({"SET", fmt::format("k{}", index % kUsers), "1700000000000000"},
                                [over = std::move(over)](StatusOr<RedisReply> reply) {
                                  if (!reply.ok()) Die("a SET failed");
                                  over();
                                });
              });
            }};
  }
  // A thread and a connection a caller.
  Contender BlockingSet(int callers, int steps) {
    return {"bare SET, a connection a caller", [=, this] {
              std::vector<redisContext*> connections;
              for (int i = 0; i < callers; ++i)
                connections.push_back(redisConnectUnix(server.socket.c_str()));
              std::vector<std::thread> threads;
              const auto start = Steady::now();
              for (int i = 0; i < callers; ++i) {
                threads.emplace_back([=, connection = connections[static_cast<size_t>(i)]] {
                  for (int step = i; step < steps; step += callers) {
                    void* reply = redisCommand(connection, "SET k%d 1700000000000000", step % kUsers);
                    if (reply == nullptr) Die("a SET failed");
                    freeReplyObject(reply);
                  }
                });
              }
              for (std::thread& thread : threads) thread.join();
              const double rate = PerSecond(steps, start);
              for (redisContext* connection : connections) redisFree(connection);
              return rate;
            }};
  }

  void Speed(int callers);
  void NeverOneTooMany(const char* rule_text);
};

void Bench::Speed(int callers) {
  const int steps = callers == 1 ? 1'000 : callers == 8 ? 6'000 : 30'000;
  std::vector<Contender> all = {Ours(limiter.get(), callers, steps), Ours(exact.get(), callers, steps)};
  for (const char* form : {"union", "union pipelined", "two", "two pipelined"})
    all.push_back(Flexible(form, callers, steps / 4));
  all.push_back(BlockingSet(callers, steps));
  all.push_back(PipelinedSet(callers, steps));
  all.push_back(Flexible("set pipelined", callers, steps));
  const std::vector<Samples> samples = RunInterleaved(all);
  const Samples& flexible = *std::max_element(samples.begin() + 2, samples.begin() + 6, [](auto& a, auto& b) {
    return Median(a.figures) < Median(b.figures);
  });
  const std::string work =
      fmt::format("two rules in one step, {} caller{} under way", callers, callers == 1 ? "" : "s");
  const auto add = [&](const std::string& what, const Samples& ours, const Samples& theirs,
                       const std::string& version, std::optional<double> floor, std::optional<double> goal) {
    report.Add({what, "steps/s", theirs.name, version, Compare(ours, theirs, Better::kMore), floor, goal});
  };
  add(work, samples[0], flexible, node_version, 1.0, std::nullopt);
  add(work + ", one of them exact", samples[1], flexible, node_version, 1.0, std::nullopt);
  add(work, samples[0], samples[6], redis_version, std::nullopt, 0.7);
  add(work, samples[0], samples[7], redis_version, std::nullopt, 0.7);
  add(work, samples[0], {"bare SET, ioredis pipelined", samples[8].figures}, node_version, std::nullopt,
      std::nullopt);
}

// Eight processes, half a thousand checks each, at once. The figure is what was admitted.
void Bench::NeverOneTooMany(const char* rule_text) {
  const LimitRule rule = *ParseLimitRule(fmt::format("of {}", rule_text), rule_text);
  int report_pipe[2];
  if (pipe(report_pipe) != 0) Die("no pipe");
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    int64_t admitted = 0;
    {
      auto own = Open({rule});
      const LimitCheck check{rule.name, "key", 1};
      for (int step = 0; step < 500; ++step) admitted += own->Check({&check, 1})->allowed;
    }
    if (write(report_pipe[1], &admitted, sizeof admitted) != sizeof admitted) _exit(1);
    _exit(0);
  }
  close(report_pipe[1]);
  double sum = 0;
  for (int64_t admitted; read(report_pipe[0], &admitted, sizeof admitted) == sizeof admitted;)
    sum += static_cast<double>(admitted);
  close(report_pipe[0]);
  for (pid_t child : children) waitpid(child, nullptr, 0);
  report.Add({fmt::format("admitted by {} to 8 processes at 4,000 checks", rule_text), "checks", "bound", "",
              CompareWithBound({"mediagen", {sum}}, static_cast<double>(rule.limit), Better::kLess), 1.0,
              1.0});
}

}  // namespace

int main() {
  Bench bench;
  for (int callers : {1, 8, 64}) bench.Speed(callers);
  for (const char* rule : {"1000/31d", "32/h"}) bench.NeverOneTooMany(rule);
  return bench.report.Finish();
}
