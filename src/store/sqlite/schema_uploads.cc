// Tables of uploads by signed URL.

namespace mediagen {

extern const char kSchemaUploads[];

// `brought` is '' until the bytes are there; `output` is what the upload has become, NULL before.
const char kSchemaUploads[] = R"sql(
CREATE TABLE pending_upload (
  id BLOB NOT NULL PRIMARY KEY, user TEXT NOT NULL, visibility TEXT NOT NULL, reuse INTEGER NOT NULL,
  media_type TEXT NOT NULL, max_bytes INTEGER NOT NULL, expires_ms INTEGER NOT NULL, tries INTEGER NOT NULL,
  blob_key TEXT NOT NULL, brought TEXT NOT NULL, output BLOB) STRICT, WITHOUT ROWID;
CREATE INDEX pending_upload_expiry ON pending_upload (expires_ms);
)sql";

}  // namespace mediagen
