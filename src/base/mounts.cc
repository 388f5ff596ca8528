#include "base/mounts.h"

#include <algorithm>
#include <array>

namespace mediagen {
namespace {

constexpr std::array<std::string_view, 25> kNetwork = {
    "nfs",    "nfs4",      "cifs",   "smb",    "smb2",   "smb3",     "smbfs",   "9p",   "ceph",
    "lustre", "afs",       "coda",   "ncpfs",  "ocfs2",  "gfs2",     "beegfs",  "gpfs", "pvfs2",
    "panfs",  "glusterfs", "vboxsf", "vmhgfs", "prl_fs", "virtiofs", "orangefs"};

// FUSE file systems over local disks, by the subtype after "fuse."; "fuseblk" (ntfs-3g, exfat) is local by
// its nature.
constexpr std::array<std::string_view, 12> kLocalFuse = {"fuse-overlayfs", "mergerfs", "bindfs",  "gocryptfs",
                                                         "encfs",          "cryfs",    "ntfs-3g", "exfat",
                                                         "squashfuse",     "snapfuse", "unionfs", "lxcfs"};

struct Magic {
  uint64_t magic;
  std::string_view name;
};

// linux/magic.h and the modules' own headers.
constexpr Magic kMagic[] = {{0x6969, "nfs"},        {0x517B, "smb"},        {0xFF534D42, "cifs"},
                            {0xFE534D42, "smb2"},   {0x01021997, "9p"},     {0x00C36400, "ceph"},
                            {0x0BD00BD0, "lustre"}, {0x5346414F, "afs"},    {0x6B414653, "afs"},
                            {0x73757245, "coda"},   {0x564C, "ncpfs"},      {0x7461636F, "ocfs2"},
                            {0x01161970, "gfs2"},   {0x19830326, "beegfs"}, {0x47504653, "gpfs"},
                            {0xAAD7AAEA, "panfs"},  {0x786F4256, "vboxsf"}, {0xBACBACBC, "vmhgfs"}};

template <typename List>
bool Holds(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// The next field of `line`, which it is taken from.
std::string_view Field(std::string_view* line) {
  size_t end = line->find(' ');
  std::string_view field = line->substr(0, end);
  *line = end == std::string_view::npos ? std::string_view() : line->substr(end + 1);
  return field;
}

// The kernel writes space, tab, newline and backslash as \ and three octal digits.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    auto digit = [&](size_t at) { return text[i + at] >= '0' && text[i + at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && digit(1) && digit(2) && digit(3)) {
      plain.push_back(
          static_cast<char>((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0')));
      i += 3;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

bool Below(std::string_view path, std::string_view point) {
  if (point == "/") return true;
  return path.substr(0, point.size()) == point && (path.size() == point.size() || path[point.size()] == '/');
}

}  // namespace

std::string NetworkNameOfType(std::string_view type) {
  if (Holds(kNetwork, type)) return std::string(type);
  if (type == "fuse") return "fuse";
  if (type.substr(0, 5) == "fuse." && !Holds(kLocalFuse, type.substr(5))) return std::string(type);
  return {};
}

std::string NetworkNameOfMagic(uint64_t magic) {
  for (const Magic& known : kMagic) {
    if (known.magic == (magic & 0xFFFFFFFF)) return std::string(known.name);
  }
  return {};
}

std::string MountTypeOf(std::string_view mountinfo, std::string_view path) {
  std::string_view type;
  size_t longest = 0;
  while (!mountinfo.empty()) {
    size_t end = mountinfo.find('\n');
    std::string_view line = mountinfo.substr(0, end);
    mountinfo = end == std::string_view::npos ? std::string_view() : mountinfo.substr(end + 1);
    for (int skipped = 0; skipped < 4; ++skipped) Field(&line);  // mount id, parent id, device, root
    std::string point = Unescape(Field(&line));
    if (point.empty() || point.size() < longest || !Below(path, point)) continue;
    while (!line.empty() && Field(&line) != "-") {
    }
    if (line.empty()) continue;
    type = Field(&line);
    longest = point.size();
  }
  return std::string(type);
}

}  // namespace mediagen
