#include "api/store_documents.h"

#include <doctest/doctest.h>

namespace mediagen {

TEST_CASE("a batch is read, and one that only removes is known as such") {
  auto batch = ParseStoreBatch(
      R"({"writes": [{"put": "orders", "id": "o1", "value": {"a": 1}}, {"remove": "carts", "id": "c9"}],
                                   "jobs": [{"queue": "email", "kind": "send"}]})");
  REQUIRE(batch.ok());
  REQUIRE(batch->writes.size() == 2);
  CHECK(batch->writes[0].collection == "orders");
  CHECK(batch->writes[0].value_json == R"({"a":1})");
  CHECK(batch->writes[1].collection == "carts");
  CHECK(batch->writes[1].value_json.empty());
  CHECK(batch->jobs.size() == 1);
  CHECK_FALSE(batch->AddsNothing());
  CHECK(ParseStoreBatch(R"({"writes": [{"remove": "carts", "id": "c9"}]})")->AddsNothing());
  CHECK(ParseStoreBatch("{}")->AddsNothing());
}

TEST_CASE("malformed batches are refused, by the number of the write") {
  for (std::string_view bad :
       {R"([])", R"({"writes": 7})", R"({"writes": [7]})", R"({"writes": [{"put": "a", "value": {}}]})",
        R"({"writes": [{"put": "a", "id": "i"}]})", R"({"writes": [{"put": "a", "id": "i", "value": 7}]})",
        R"({"writes": [{"put": "a", "remove": "b", "id": "i"}]})", R"({"writes": [{"id": "i"}]})",
        R"({"writes": [{"remove": "a", "id": "i", "value": {}}]})",
        R"({"writes": [{"put": "a", "id": "i", "value": {}, "if": 1}]})", R"({"jobs": [{"queue": "a"}]})"}) {
    INFO(bad);
    CHECK(CodeOf(ParseStoreBatch(bad).status()) == Code::kInvalid);
  }
  std::string long_id = R"({"writes": [{"remove": "a", "id": ")" + std::string(129, 'x') + "\"}]}";
  CHECK(CodeOf(ParseStoreBatch(long_id).status()) == Code::kTooLarge);
  std::string large =
      R"({"writes": [{"put": "a", "id": "i", "value": {"t": ")" + std::string(1 << 20, 'x') + "\"}}]}";
  CHECK(CodeOf(ParseStoreBatch(large).status()) == Code::kTooLarge);
  CHECK(InfoOf(ParseStoreBatch(R"({"writes": [{"remove": "a", "id": "i"}, 7]})").status())
            .message.find("Write 1") != std::string::npos);
}

TEST_CASE("lists of ids are arrays of strings") {
  CHECK(ParseIdList(R"(["a", "b"])")->size() == 2);
  CHECK(ParseIdList("[]")->empty());
  for (std::string_view bad : {"{}", "[1]", R"([""])", "x"})
    CHECK(CodeOf(ParseIdList(bad).status()) == Code::kInvalid);
  std::string many = "[\"a\"";
  for (int i = 0; i < 1000; ++i) many += ",\"a\"";
  CHECK(CodeOf(ParseIdList(many + "]").status()) == Code::kInvalid);
}

TEST_CASE("a list query has defaults, and bounds") {
  auto query = ParseCollectionQuery("orders", "");
  REQUIRE(query.ok());
  CHECK(query->limit == 20);
  CHECK(query->sort == "id");
  CHECK_FALSE(query->after.has_value());
  query = ParseCollectionQuery(
      "orders", R"({"filter": {"user": "u1"}, "sort": "createdAt desc", "limit": 200, "cursor": null})");
  REQUIRE(query.ok());
  CHECK(query->filter["user"] == "u1");
  CHECK(query->limit == 200);
  for (std::string_view bad : {"[]", R"({"limit": 201})", R"({"filter": []})", R"({"sort": 7})",
                               R"({"order": "id"})", R"({"cursor": 7})"}) {
    INFO(bad);
    CHECK(CodeOf(ParseCollectionQuery("orders", bad).status()) == Code::kInvalid);
  }
}

TEST_CASE("a forged cursor is refused, whatever it holds") {
  for (std::string cursor :
       {"x", "c1.", "c1..", "c1.0123456789abcdef.W10", "c1.zz.////", "c2.0123456789abcdef.W10"}) {
    INFO(cursor);
    Status status = ParseCollectionQuery("orders", R"({"cursor": ")" + cursor + "\"}").status();
    CHECK(CodeOf(status) == Code::kInvalid);
    CHECK(InfoOf(status).object == "cursor");
  }
}

}  // namespace mediagen
