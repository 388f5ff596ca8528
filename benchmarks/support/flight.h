// Work that is done again and again by one thread or by several at once, and what one of them costs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/rounds.h"

namespace mediagen::bench {

// What one of many costs. The elapsed time is what a caller waits for; the processor time of all threads is
// what a busy machine pays, and hardly depends on what else runs there.
struct Cost {
  double ms = 0;  // elapsed / times
  double cpu_ms = 0;
};

// Does `work` `times` times with `flight` of them under way at any moment. Two in flight on two cores halve
// the elapsed time at best.
Cost CostEach(int flight, int times, const std::function<void()>& work);

struct CostContender {
  std::string name;
  std::function<Cost()> measure;
};

// The samples of both figures, each in the order of the contenders.
struct CostSamples {
  std::vector<Samples> ms, cpu_ms;
};
CostSamples RunCosts(const std::vector<CostContender>& contenders);

}  // namespace mediagen::bench
