// Peer: a program of benchmarks/peers that lives as long as its benchmark, takes a line of JSON and answers
// with one. It times its own work, so that neither its start nor this pipe is measured. What it says on
// stderr is shown; an end before its time, or an answer {"error": …}, ends the program. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace mediagen::bench {

class Peer {
 public:
  // `command`'s first word is looked for in PATH.
  explicit Peer(std::vector<std::string> command);
  ~Peer();  // closes its stdin, which ends it
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  nlohmann::json Ask(const nlohmann::json& question);

 private:
  const std::string name_;
  pid_t child_ = -1;
  std::FILE* questions_ = nullptr;
  std::FILE* answers_ = nullptr;
};

// The pictures' peers, in the folders that ./run bench installs them in.
std::vector<std::string> NodePeer(const std::string& program);
std::vector<std::string> PythonPeer(const std::string& program);

// The peers of caches and limiters; benchmarks/peers/README.md says what to ask them. Empty without their
// toolchain, as ./run bench has said by then: leave their rows out.
std::vector<std::string> RustPeer();
std::vector<std::string> GoPeer();
// `program` is a class of benchmarks/peers/java.
std::vector<std::string> JavaPeer(const std::string& program);

}  // namespace mediagen::bench
