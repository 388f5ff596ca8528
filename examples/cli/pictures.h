// Copies what a generation has made out of the data directory.
#pragma once

#include <string>

#include "settings.h"

namespace cli {

// Writes the content of one output record to <dir>/<id>.<extension>; the path.
mediagen::result<std::string> CopyOut(mediagen::engine& engine, const Json& output, const std::string& dir);

}  // namespace cli
