// Work that is done again and again by one thread or by several at once.
#pragma once

#include <functional>

namespace mediagen::bench {

// Does `work` `times` times with `flight` of them under way at any moment, and returns how long one took of
// the whole time: elapsed / times, ms. Two in flight on two cores halve it at best.
double MsEach(int flight, int times, const std::function<void()>& work);

}  // namespace mediagen::bench
