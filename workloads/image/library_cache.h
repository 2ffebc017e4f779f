// /etc/ld.so.cache of a root tree: where the dynamic linker finds its libraries at once.
#pragma once

#include <string>

#include "monitor/root/tree.h"

namespace image {

/// The cache's bytes, by the host's ldconfig over a copy of the tree's libraries in the folder
/// `scratch`, which is made and removed. "" when the tree has no dynamic linker.
std::string library_cache(const monitor::RootTree&, const std::string& scratch);

}  // namespace image
