// The boot tree: a root file tree plus the first program's arguments, laid in guest RAM by the
// launcher. File contents start on page frames, so that the guest kernel's page cache can take
// the frames over as they are, without a copy.
//
//   frame boot_tree_frame:  BootTreeHeader
//                           BootTreeEntry[entries]     parents before children, entry 0 is "/"
//                           strings                    names, symlink targets, argv, envp
//                           (padding to a page)
//                           file contents, each from a fresh frame; the rest of a last page zero
#pragma once

#include <cstdint>

namespace vmi {

/// What a first program may be given: words of its arguments, likewise of its environment; bytes of
/// one, with its NUL, and of all. The launcher refuses more.
inline constexpr std::uint32_t boot_words_max = 4096;
inline constexpr std::uint64_t boot_word_bytes_max = 128 * 1024;
inline constexpr std::uint64_t boot_words_bytes_max = 256 * 1024;

struct BootTreeHeader {
  static constexpr std::uint64_t magic_value = 0x74797065'74776f74;
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t entries;         // entry table follows the header
  std::uint64_t strings_offset;  // from the header, bytes
  std::uint64_t strings_bytes;
  std::uint64_t argv_offset;  // into strings: argc NUL-terminated strings, one after another
  std::uint64_t envp_offset;
  std::uint32_t argc, envc;
  std::uint64_t total_bytes;  // whole tree, a multiple of the page size
};

struct BootTreeEntry {
  std::uint32_t parent;  // index of the directory that holds it; entry 0 names itself
  std::uint32_t mode;    // st_mode: S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, permissions
  std::uint32_t uid, gid;
  std::uint64_t size;  // bytes of content (regular files), of the target (symlinks)
  std::uint64_t mtime_ns;
  std::uint32_t name;  // offset into strings, NUL-terminated
  std::uint32_t data;  // regular: first frame, relative to boot_tree_frame;
                       // symlink: offset of the target in strings; device: dev_t
};

static_assert(sizeof(BootTreeHeader) == 64 && sizeof(BootTreeEntry) == 40);

}  // namespace vmi
