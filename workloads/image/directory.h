// A root tree written out as an ordinary folder, and folders removed again whatever their modes.
// For `typetwo image --directory`, and for the scratch folders of this room.
#pragma once

#include <functional>
#include <string>

#include "monitor/root/tree.h"

namespace image {

/// Writes the nodes for whose path `wanted` says true (all, without it) below the folder, which
/// must exist. Device nodes are left out: whoever runs from the folder makes its own.
void write_directory(const monitor::RootTree&, const std::string& folder,
                     const std::function<bool(const std::string&)>& wanted = nullptr);

/// Of a host file; "" when there is none.
std::string content_of(const std::string& path);

/// Removes a file, or a folder with all in it. Nothing there is no error. Never follows a link.
void remove_tree(const std::string& path);

/// Everything below the folder, and all else on its file system, is on the disk from here on.
void flush_files(const std::string& folder);

/// A folder for intermediate files under that name, empty at first and removed at the end. One that
/// a killed run left is taken over; one that another run works in is waited for.
class ScratchFolder {
 public:
  explicit ScratchFolder(std::string path);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  /// It is no scratch any more. An empty folder there is replaced.
  void move_to(const std::string& place);

 private:
  [[nodiscard]] bool take();
  void close_lock();

  std::string path_;
  int lock_ = -1;  // the folder itself, with flock
};

}  // namespace image
