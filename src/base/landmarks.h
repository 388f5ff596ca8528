// Landmarks: the points of a piece of work between which a crash must lose nothing. An engine can be told to
// call somebody just before and just after each (EngineEnvironment); the crash harness kills the process
// there.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/id.h"

namespace mediagen {

// One passing of a point: "submit", "claim", "intent", "post", "submitted", "received", "remote-terminal",
// "settle" or "derive". The texts live as long as the call.
struct Landmark {
  std::string_view point, user;
  Id job;
  uint64_t fence = 0;  // of the claim under which it is passed; 0: none
};

// Called on the thread that passes the point. Thread-safe; must neither wait nor call back.
class Landmarks {
 public:
  enum Side {
    kBefore,  // the point's COMMIT, or request, has not begun
    kAfter,   // it has ended, and nothing that follows from it was done; said in the order of the commits
  };
  virtual ~Landmarks() = default;
  virtual void Pass(const Landmark& landmark, Side side) = 0;
};

}  // namespace mediagen
