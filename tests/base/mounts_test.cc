#include "base/mounts.h"

#include <doctest/doctest.h>

using namespace mediagen;

namespace {

constexpr std::string_view kMounts =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard\n"
    "40 27 0:50 / /home rw - nfs4 server:/home rw,vers=4.2\n"
    "41 40 0:51 / /home/local rw - xfs /dev/vdb rw\n"
    "42 27 0:52 /sub /mnt/with\\040space\\134x rw shared:7 - fuse.sshfs me@host: rw\n"
    "43 27 0:53 / /data rw - ext4 /dev/vdc rw\n"
    "44 43 0:54 / /data rw - cifs //server/share rw\n"
    "short line\n"
    "45 27 0:55 / /nodash rw\n"
    "46 27 0:56 / /end rw - btrfs /dev/vdd rw";

}  // namespace

TEST_CASE("a path lies on the longest mount point above it, the latest of two on one point") {
  struct Row {
    std::string_view path, type;
  };
  const Row rows[] = {{"/", "ext4"},
                      {"/var/lib", "ext4"},
                      {"/home", "nfs4"},
                      {"/home/u/data", "nfs4"},
                      {"/homework", "ext4"},
                      {"/home/local", "xfs"},
                      {"/home/local/x", "xfs"},
                      {"/home/localx", "nfs4"},
                      {"/mnt", "ext4"},
                      {"/mnt/with space\\x/y", "fuse.sshfs"},
                      {"/data/blobs", "cifs"},
                      {"/nodash/x", "ext4"},
                      {"/end", "btrfs"}};
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK(MountTypeOf(kMounts, row.path) == row.type);
  }
  CHECK(MountTypeOf("", "/x").empty());
  CHECK(MountTypeOf("1 2 0:1 / /other rw - ext4 /dev/vda rw\n", "/x").empty());
  CHECK(MountTypeOf("1 2 0:1 / /x\\04 rw - ext4 /dev/vda rw\n", "/x\\04").length() ==
        4);  // a broken escape is taken as it stands
}

TEST_CASE("network file systems are known by type") {
  for (std::string_view type : {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "lustre", "virtiofs",
                                "fuse.sshfs", "fuse.s3fs", "fuse.unheard-of", "fuse"}) {
    CHECK(NetworkNameOfType(type) == type);
  }
  for (std::string_view type : {"", "ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuseblk",
                                "fuse.fuse-overlayfs", "fuse.mergerfs"}) {
    CHECK(NetworkNameOfType(type).empty());
  }
}

TEST_CASE("network file systems are known by magic number, sign extended or not") {
  CHECK(NetworkNameOfMagic(0x6969) == "nfs");
  CHECK(NetworkNameOfMagic(0xFF534D42) == "cifs");
  CHECK(NetworkNameOfMagic(0xFFFFFFFFFF534D42) == "cifs");
  CHECK(NetworkNameOfMagic(0x01021997) == "9p");
  CHECK(NetworkNameOfMagic(0xEF53).empty());      // ext4
  CHECK(NetworkNameOfMagic(0x65735546).empty());  // FUSE: mountinfo decides
}
