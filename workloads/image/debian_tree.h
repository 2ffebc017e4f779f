// The files of installed Debian packages as a root tree: what an image, or a folder, is made of.
#pragma once

#include <vector>

#include "monitor/root/tree.h"
#include "workloads/image/packages.h"

namespace image {

/// The host's own files of these packages, the links by which the host's alternatives reach them,
/// the links of a merged /usr, our static programs under /workloads, and the few files that no
/// package has because the installer writes them (/etc/passwd ...). Manual pages and translations
/// are left out. Two calls on an unchanged host give the same tree.
monitor::RootTree debian_tree(const std::vector<Package>& packages);

}  // namespace image
