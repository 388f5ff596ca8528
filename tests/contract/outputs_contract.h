// The contract of Records for outputs and what belongs to them: variants, uploads, shares, tombstones. See
// store_support.h for how a backend includes it.
#pragma once

#include "contract/records_support.h"

namespace mediagen {

TEST_CASE("an output of the same place replaces the one that was there") {
  using namespace records_contract;
  ContractBackend backend;
  Generation g = NewGeneration(backend, "ada", 1), h = NewGeneration(backend, "ada", 2);
  Output o = NewOutput(backend, g.id, 0), next = NewOutput(backend, g.id, 1),
         upload = NewOutput(backend, Id{}, 0);
  Output other = NewOutput(backend, h.id, 0);
  o.sha256 = std::string(64, 'a');
  o.thumb_hash = "dGh1bWI=";
  o.c2pa = true;
  o.embedded_prompt = "a red boat";
  o.likes = 2;
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.records().InsertGeneration(g));
    RETURN_IF_ERROR(t.records().InsertGeneration(h));
    for (const Output* each : {&next, &o, &upload, &other}) RETURN_IF_ERROR(t.records().PutOutput(*each));
    return OkStatus();
  }));
  Look(backend.store(), [&](const Snapshot& s) {
    Output found = *Must(s.records().FindOutput(o.id));
    CHECK(found.generation == g.id);
    CHECK(found.user == "ada");
    CHECK(found.source == "generated");
    CHECK(found.kind == "image");
    CHECK(found.media_type == "image/png");
    CHECK(found.width == 640);
    CHECK(found.height == 480);
    CHECK(found.bytes == 12345);
    CHECK(found.sha256 == o.sha256);
    CHECK(found.blob_key == o.blob_key);
    CHECK(found.thumb_hash == o.thumb_hash);
    CHECK(found.safety == "ok");
    CHECK(found.c2pa);
    CHECK(found.embedded_prompt == "a red boat");
    CHECK(found.visibility == "private");
    CHECK(found.likes == 2);
    CHECK(found.created_ms == 5);
    CHECK(Must(s.records().FindOutput(upload.id))->generation.empty());
  });
  Output again = NewOutput(backend, g.id, 0);  // another id, the same (generation, part, try, index)
  again.bytes = 99;
  upload.bytes = 77;  // the same id
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.records().PutOutput(again));
    return t.records().PutOutput(upload);
  }));
  Look(backend.store(), [&](const Snapshot& s) {
    const Id both[] = {h.id, g.id};
    std::vector<Output> outputs = Must(s.records().OutputsOf(both));
    REQUIRE(outputs.size() == 3);
    CHECK(outputs[0].id == other.id);
    CHECK(outputs[1].id == again.id);
    CHECK(outputs[1].bytes == 99);
    CHECK(outputs[2].id == next.id);
    CHECK_FALSE(Must(s.records().FindOutput(o.id)));
    CHECK(Must(s.records().FindOutput(upload.id))->bytes == 77);
  });
  Output orphan = NewOutput(backend, backend.NewId(), 0);
  CHECK(CodeOf(Write(backend.store(), [&](Transaction& t) { return t.records().PutOutput(orphan); })) ==
        Code::kNotFound);
}

TEST_CASE("variants are kept per output and recipe") {
  using namespace records_contract;
  ContractBackend backend;
  Output o = NewOutput(backend, Id{}, 0);
  Variant v{o.id, "w300,h300,cover,jpeg,q85", 1, "uploads/x@y", "image/jpeg", "aa", 300, 200, 4000};
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.records().PutOutput(o));
    RETURN_IF_ERROR(t.records().PutVariant(v));
    v.version = 2;
    v.bytes = 5000;
    v.effort = 6;
    RETURN_IF_ERROR(t.records().PutVariant(v));
    v.recipe = "w150";
    return t.records().PutVariant(v);
  }));
  Look(backend.store(), [&](const Snapshot& s) {
    Variant found = *Must(s.records().FindVariant(o.id, "w300,h300,cover,jpeg,q85"));
    CHECK(found.version == 2);
    CHECK(found.bytes == 5000);
    CHECK(found.effort == 6);
    CHECK(found.blob_key == "uploads/x@y");
    CHECK(found.media_type == "image/jpeg");
    CHECK(found.sha256 == "aa");
    CHECK(found.width == 300);
    CHECK(found.height == 200);
    CHECK(Must(s.records().VariantsOf(o.id)).size() == 2);
    CHECK_FALSE(Must(s.records().FindVariant(o.id, "w600")));
  });
  v.output = backend.NewId();
  CHECK(CodeOf(Write(backend.store(), [&](Transaction& t) { return t.records().PutVariant(v); })) ==
        Code::kNotFound);
}

TEST_CASE("what a user uploaded is found by its bytes, and nobody else's") {
  using namespace records_contract;
  ContractBackend backend;
  std::vector<Output> rows;
  for (const auto& [user, source, sha256] :
       {std::tuple("u1", "uploaded", "aa"), std::tuple("u1", "uploaded", "aa"),
        std::tuple("u2", "uploaded", "aa"), std::tuple("u1", "uploaded", "bb"),
        std::tuple("u1", "imported", "aa")}) {
    Output row = NewOutput(backend, Id{}, 0);
    row.user = user;
    row.source = source;
    row.sha256 = sha256;
    rows.push_back(row);
  }
  Must(Write(backend.store(), [&](Transaction& t) -> Status {
    for (const Output& row : rows) RETURN_IF_ERROR(t.records().PutOutput(row));
    return OkStatus();
  }));
  Look(backend.store(), [&](const Snapshot& s) {
    auto found = Must(s.records().UploadsOf("u1", "aa"));
    REQUIRE(found.size() == 2);
    CHECK(found[0].id == rows[0].id);
    CHECK(found[1].id == rows[1].id);
    CHECK(Must(s.records().UploadsOf("u3", "aa")).empty());
  });
}

TEST_CASE("an output has one share, which is found by its token until it is removed") {
  using namespace records_contract;
  ContractBackend backend;
  Output o = NewOutput(backend, Id{}, 0);
  const ShareLink share{"a-token", o.id, "u1", 77};
  Must(Write(backend.store(), [&](Transaction& t) -> Status {
    RETURN_IF_ERROR(t.records().PutOutput(o));
    return t.records().InsertShare(share);
  }));
  CHECK(CodeOf(Write(backend.store(), [&](Transaction& t) {
          return t.records().InsertShare({"another", o.id, "u2", 78});
        })) == Code::kConflict);
  CHECK(CodeOf(Write(backend.store(), [&](Transaction& t) {
          return t.records().InsertShare({"a-third", backend.NewId(), "u2", 78});
        })) == Code::kNotFound);
  Look(backend.store(), [&](const Snapshot& s) {
    ShareLink found = *Must(s.records().FindShare("a-token"));
    CHECK(found.output == o.id);
    CHECK(found.user == "u1");
    CHECK(found.created_ms == 77);
    CHECK(Must(s.records().ShareOf(o.id))->token == "a-token");
    CHECK_FALSE(Must(s.records().FindShare("another")));
  });
  Must(Write(backend.store(), [&](Transaction& t) -> Status {
    CHECK(Must(t.records().RemoveShare(o.id)));
    CHECK_FALSE(Must(t.records().RemoveShare(o.id)));
    return OkStatus();
  }));
  Look(backend.store(), [&](const Snapshot& s) { CHECK_FALSE(Must(s.records().FindShare("a-token"))); });
}

TEST_CASE("tombstones are listed oldest first, once each, until they are removed") {
  ContractBackend backend;
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.records().AddTombstone("b", 2));
    RETURN_IF_ERROR(t.records().AddTombstone("a", 1));
    RETURN_IF_ERROR(t.records().AddTombstone("c", 3));
    return t.records().AddTombstone("a", 9);
  }));
  Look(backend.store(), [&](const Snapshot& s) {
    CHECK(Must(s.records().Tombstones(2)) == std::vector<std::string>{"a", "b"});
  });
  Must(Write(backend.store(), [&](Transaction& t) { return t.records().RemoveTombstone("a"); }));
  Look(backend.store(), [&](const Snapshot& s) {
    CHECK(Must(s.records().Tombstones(10)) == std::vector<std::string>{"b", "c"});
  });
}

}  // namespace mediagen
