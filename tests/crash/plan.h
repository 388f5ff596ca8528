// What a run of the harness kills, and where: every landmark, before and after it, for every wire.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace mediagen::crash {

// One kind of request. Its generations belong to the users "<name>-<digit>", which is how a landmark is known
// to be its own.
struct Kind {
  const char* name;
  const char* request;  // JSON, beside user, prompt and idempotencyKey
  enum Answer { kLocal, kSubmitted, kReceived } answer;
};
const std::vector<Kind>& Kinds();
// "replicate" of "replicate-3"; "" of what is no user of the harness's.
std::string_view KindOfUser(std::string_view user);

// A place where a process is to be caught: the nth time that it passes `point` for a generation of `kind`.
struct Trap {
  std::string point, kind;
  bool after = false;
  int64_t nth = 1;
  bool stop = false;  // frozen, not killed

  std::string Name() const;
  Json Document() const;
  static Trap From(const Json& document);
};

// Deals out the traps of many rounds; those that were missed come again. Counts what was hit.
class Plan {
 public:
  Plan();

  // Each in the order in which a generation passes them, so that a later one still has work before it.
  std::vector<Trap> NextKills();
  std::vector<Trap> NextFreezes();
  void Note(const std::vector<Trap>& hit, const std::vector<Trap>& missed);
  void NoteRandom(int kills) { random_kills_ += kills; }

  // How often each point was killed at, a row for each side, a column for each kind.
  std::string Table() const;
  // Traps that were laid and that nobody was ever caught in.
  std::vector<std::string> NeverHit() const;

 private:
  struct Count {
    int laid = 0, hit = 0;
  };
  std::vector<Trap> kills_, freezes_, again_, freeze_again_;
  size_t next_kill_ = 0, next_freeze_ = 0;
  int random_kills_ = 0;
  std::map<std::string, Count> counts_;  // by Trap::Name
};

}  // namespace mediagen::crash
