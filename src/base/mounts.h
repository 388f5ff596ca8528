// Which file systems are shared with other machines. SQLite's locks and flock(2) are not to be trusted there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mediagen {

// `type` as mountinfo names it ("nfs4", "fuse.sshfs") when it is a network file system, else "". A FUSE file
// system that is not known to be local counts as one.
std::string NetworkNameOfType(std::string_view type);

// The same for statfs(2)'s f_type.
std::string NetworkNameOfMagic(uint64_t magic);

// The type of the file system that the absolute `path` lies on, out of the text of /proc/self/mountinfo
// (proc_pid_mountinfo(5)): the longest mount point that is a prefix of it; of two mounts on one point the
// later hides the earlier. "" when none fits.
std::string MountTypeOf(std::string_view mountinfo, std::string_view path);

}  // namespace mediagen
