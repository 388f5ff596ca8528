// GIF's LZW (GIF89a, appendix F; Welch, "A Technique for High-Performance Data Compression", IEEE Computer
// 17(6), 1984): codes of 2 to 12 bits, the least significant bit first, in sub-blocks of at most 255 bytes.
//
// Thread-safe: no state.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"

namespace mediagen::codec {

// Fills `indices` from the sub-blocks that begin at `at`. `code_size` is the byte before them, 1–8. Time
// grows with the indices and the bytes read; nothing behind the code that gives the last index is read, so
// neither an end code nor the end of the sub-blocks has to be there. kInvalid when the data end early, or
// name a code that is not in the table yet; `indices` then hold nothing of use.
Status DecodeGifLzw(std::string_view bytes, size_t at, uint32_t code_size, std::span<uint8_t> indices);

}  // namespace mediagen::codec
