// The contract of Records about uploads. See store_support.h for how a backend includes it.
#pragma once

#include "contract/records_support.h"

namespace mediagen {

TEST_CASE("a pending upload keeps what was allowed, and is found when its time is over") {
  ContractBackend backend;
  PendingUpload early{.id = backend.NewId(), .user = "ada", .visibility = "public", .reuse = true};
  early.media_type = "image/png";
  early.max_bytes = 4096;
  early.expires_ms = 1000;
  PendingUpload late{.id = backend.NewId(), .user = "bob", .expires_ms = 2000};
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.records().PutPendingUpload(late));
    return t.records().PutPendingUpload(early);
  }));
  PendingUpload changed = early;
  changed.user = "eve";
  changed.max_bytes = 1 << 30;
  changed.expires_ms = 9000;
  changed.tries = 2;
  changed.blob_key = "uploads/ada/x/0.2.0.png";
  changed.brought_json = R"({"bytes":7})";
  changed.output = backend.NewId();
  Must(Write(backend.store(), [&](Transaction& t) { return t.records().PutPendingUpload(changed); }));
  backend.Reopen();
  Look(backend.store(), [&](const Snapshot& s) {
    std::optional<PendingUpload> found = Must(s.records().FindPendingUpload(early.id));
    REQUIRE(found);
    CHECK(found->user == "ada");
    CHECK(found->visibility == "public");
    CHECK(found->reuse);
    CHECK(found->media_type == "image/png");
    CHECK(found->max_bytes == 4096);
    CHECK(found->expires_ms == 1000);
    CHECK(found->tries == 2);
    CHECK(found->blob_key == changed.blob_key);
    CHECK(found->brought_json == changed.brought_json);
    CHECK(found->output == changed.output);
    CHECK(Must(s.records().FindPendingUpload(late.id))->output.empty());
    CHECK_FALSE(Must(s.records().FindPendingUpload(backend.NewId())));
    auto expired = [&](int64_t before_ms, int limit) {
      std::vector<std::string> users;
      for (const PendingUpload& row : Must(s.records().ExpiredUploads(before_ms, limit)))
        users.push_back(row.user);
      return users;
    };
    CHECK(expired(1000, 10).empty());
    CHECK(expired(1001, 10) == std::vector<std::string>{"ada"});
    CHECK(expired(2001, 10) == std::vector<std::string>{"ada", "bob"});
    CHECK(expired(2001, 1) == std::vector<std::string>{"ada"});
  });
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.records().RemovePendingUpload(early.id));
    return t.records().RemovePendingUpload(early.id);
  }));
  Look(backend.store(),
       [&](const Snapshot& s) { CHECK_FALSE(Must(s.records().FindPendingUpload(early.id))); });
}

}  // namespace mediagen
