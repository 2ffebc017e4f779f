// A disk image's files as a folder beside it, for standalone, which runs the same files on the
// host.
//
// Each user who runs it has one of his own: beside another's it is IMAGE.tree-UID.
//
//   IMAGE.tree/root/        the files; standalone's root is an overlay over this
//   IMAGE.tree/stamp        which state of the image they are; without it the folder is not ours
//   IMAGE.tree/run-PID/     what the run of that process writes; goes with it
#pragma once

#include <string>

#include "monitor/machine/machine_config.h"

namespace image {

/// Holds the unpacked tree for one run: shared with other runs, never refreshed under them.
class UnpackedImage {
 public:
  /// Unpacks when the folder is missing or the image has changed since. A killed unpacking leaves
  /// nothing that counts. Throws HostError, also for a damaged image.
  explicit UnpackedImage(const std::string& image);
  ~UnpackedImage();
  UnpackedImage(const UnpackedImage&) = delete;
  UnpackedImage& operator=(const UnpackedImage&) = delete;

  [[nodiscard]] monitor::HostRoot root() const { return {folder_ + "/root", scratch_}; }

 private:
  void refresh(const std::string& image);
  void require_ours() const;
  void remove_ended_runs() const;

  std::string folder_, scratch_;
  int lock_ = -1;  // the folder, with flock: shared by runs, exclusive to unpack
};

/// All files of the image below `folder`, which must exist. Device nodes are left out.
void unpack_image(const std::string& image, const std::string& folder);

}  // namespace image
