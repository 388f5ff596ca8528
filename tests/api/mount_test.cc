// Where a mount prefix ends.
#include <doctest/doctest.h>

#include <string>

#include "api/router.h"

namespace mediagen {

TEST_CASE("a mount prefix is whole segments of the path") {
  const auto path = [](const char* target, const char* mount) {
    const StatusOr<ApiRequest> request = ParseRequest("GET", target, "", "", mount);
    return request.ok() ? request->path + " " + request->query
                        : std::string(CodeName(CodeOf(request.status())));
  };
  CHECK(path("/api/v1/images?limit=5", "/api") == "/v1/images limit=5");
  CHECK(path("/api/v1/images", "/api/") == "/v1/images ");
  CHECK(path("/api", "/api") == " ");
  CHECK(path("/api?limit=5", "/api") == " limit=5");
  CHECK(path("/v1/images", "") == "/v1/images ");
  CHECK(path("/apiary/v1/images", "/api") == "not_found");
  CHECK(path("/api%2Fv1/images", "/api") == "not_found");
  CHECK(path("/apix", "/api") == "not_found");
}

}  // namespace mediagen
