// ldconfig reads each library for its name and needs, so it wants files: those under the library
// folders and /etc/ld.so.conf*, nothing else of the tree. It writes the same bytes for the same
// files.
#include "workloads/image/library_cache.h"

#include <sys/stat.h>

#include "workloads/image/directory.h"
#include "workloads/image/host_program.h"

namespace image {
namespace {

bool starts_with(const std::string& text, const std::string& start) {
  return text.rfind(start, 0) == 0;
}

}  // namespace

std::string library_cache(const monitor::RootTree& tree, const std::string& scratch) {
  if (!tree.find("/lib64")) return "";
  ScratchFolder folder(scratch);
  write_directory(tree, folder.path(), [&](const std::string& path) {
    if (S_ISDIR(tree.find(path)->mode)) return true;  // few, and parents are wanted
    bool top = path.find('/', 1) == std::string::npos;
    bool library = starts_with(path, "/usr/lib") && path.find(".so") != std::string::npos;
    return top || library || starts_with(path, "/etc/ld.so.conf");
  });
  require_program({"ldconfig", "-X", "-r", folder.path()},
                  "is there room, and is Debian's libc-bin complete?");
  return content_of(folder.path() + "/etc/ld.so.cache");
}

}  // namespace image
