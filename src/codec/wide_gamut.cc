#include "codec/colour.h"
#include "codec/icc.h"
#include "codec/image.h"

namespace mediagen {

std::string WideGamutProfile(std::string_view bytes) {
  std::string icc = codec::IccProfile(bytes, Sniff(bytes));
  if (icc.empty() || !codec::IsWideGamut(icc)) return "";
  return icc;
}

}  // namespace mediagen
