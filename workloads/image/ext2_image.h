// A root tree written as a raw ext2 image, by e2fsprogs: mke2fs lays out the empty file system,
// libext2fs puts the files into it. So no staging folder is needed, and no root to own its files.
#pragma once

#include <cstdint>
#include <string>

#include "monitor/root/tree.h"

namespace image {

struct Ext2Options {
  std::uint64_t bytes = 0;  // of the image; a multiple of 1 MiB
  std::string uuid;         // 8-4-4-4-12 hexadecimal digits
};

/// The least size that holds the tree, without room for anything else.
std::uint64_t least_ext2_bytes(const monitor::RootTree&);

/// Fills the existing file with a file system of 4 KiB blocks and 256-byte inodes that has no
/// feature but filetype, sparse_super and large_file, and the label "typetwo". Equal trees and
/// options make equal bytes. Device nodes are left out: the guest makes its own /dev.
void write_ext2(const monitor::RootTree&, const std::string& file, const Ext2Options&);

}  // namespace image
