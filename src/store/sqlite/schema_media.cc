// What serving adds to Records (schema 4, additive: builds of schema 3 go on writing beside it).

namespace mediagen {

extern const char kSchemaMedia[];

// A share is one public link to an output; output_upload finds what the same user uploaded already.
const char kSchemaMedia[] = R"sql(
ALTER TABLE variant ADD COLUMN effort INTEGER NOT NULL DEFAULT 0;

CREATE TABLE share (
  token TEXT NOT NULL PRIMARY KEY, output BLOB NOT NULL REFERENCES output (id) ON DELETE CASCADE ON UPDATE CASCADE,
  user TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX share_output ON share (output);

CREATE INDEX output_upload ON output (user, sha256) WHERE source = 'uploaded';
)sql";

}  // namespace mediagen
