// Buffers of pictures that were in use a moment ago, kept for the next ones: what the system gives anew it
// clears first, page by page. Internal to codec/.
//
// Thread-safe. One for the process, since pictures wander between engines and handles that outlive them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mediagen::codec {

constexpr size_t kPoolBytes = size_t{64} << 20;  // kept at most

// At least `bytes`, aligned to 64; nullptr when there is no memory.
uint8_t* TakeBuffer(size_t bytes);
void GiveBuffer(uint8_t* data);

}  // namespace mediagen::codec
