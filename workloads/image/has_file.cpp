// Looks a path up in an image by libext2fs, as the guest kernel will.
#include <ext2fs/ext2fs.h>

#include "workloads/image/root_image.h"

namespace image {

bool has_file(const std::string& image, const std::string& path) {
  ext2_filsys fs = nullptr;
  if (ext2fs_open(image.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs) != 0) return false;
  ext2_ino_t inode = 0;
  const bool found =
      ext2fs_namei_follow(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path.c_str(), &inode) == 0;
  ext2fs_free(fs);
  return found;
}

}  // namespace image
