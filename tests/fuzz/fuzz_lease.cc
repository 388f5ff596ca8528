// The text of a lease on what a limiter charged.
#include "fuzz/input.h"
#include "limit/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const auto lease = LimitLease::Parse(fuzz::Text(data, size));
  if (!lease.ok()) {
    fuzz::Require(CodeOf(lease.status()) == Code::kInvalid, "what nobody wrote is invalid");
    return 0;
  }
  for (const LimitLease::Part& part : lease->parts) fuzz::Require(part.cost > 0, "a charge is one");
  const auto again = LimitLease::Parse(lease->Encode());
  fuzz::Require(again.ok() && *again == *lease, "what is read can be written and read again");
  return 0;
}
