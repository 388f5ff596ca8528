// Rate limits of the HTTP surface (http.md "Limits").
#pragma once

#include <string_view>

#include "api/router.h"

namespace mediagen {

// Charges the exchange's principal for one request under `rule`. False: it was refused, and the exchange is
// answered with 429 and its headers. The host itself is not limited.
bool ChargeRate(Router& router, ApiExchange& exchange, std::string_view rule);

}  // namespace mediagen
