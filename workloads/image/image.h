// Images and folders of Debian packages, as `typetwo image` makes them and others may ask for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workloads/image/packages.h"

namespace image {

struct ImageOptions {
  std::vector<std::string> with;       // packages beside the default ones
  std::string output;                  // "": in the build folder, under a name made of `with`
  std::optional<std::uint64_t> bytes;  // otherwise what the files need and room to work in
};

/// The default packages and `with`, and all that they depend on.
std::vector<Package> image_packages(const std::vector<std::string>& with);

struct MadeImage {
  std::string path;
  bool fresh = false;  // it was there already, made of the same inputs
};

/// Makes the image unless the one at its path was made of the same inputs: the image's own UUID is
/// a hash of them. The file appears whole or not at all; two calls at the same time share the work.
MadeImage make_image(const ImageOptions&);

/// The image of the default packages and `with` that workloads run from, made when needed. No guest
/// may write it: all launches of all runs start from the same files.
MadeImage workload_image(const std::vector<std::string>& with);

/// Writes the same files as a folder, which must not exist or be empty.
void make_directory(const std::vector<std::string>& with, std::string folder);

}  // namespace image
