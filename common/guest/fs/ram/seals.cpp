// What seals forbid of a file in memory, and the files that are made for them (memfd_create).
#include "guest/fs/ram/ramfs.h"
#include "guest/vfs/file_offsets.h"

namespace guest {

MemoryFile::MemoryFile(String name, std::uint32_t mode, std::uint32_t seals)
    : RamFile(mode), name_(std::move(name)) {
  seals_ = seals;
}

/// How much of a write they let through: by whole pages, where the file must not grow. EPERM.
Result<std::size_t> RamFile::sealed_room(std::uint64_t at, std::size_t bytes) const {
  if (sealed(abi::seal_write | abi::seal_future_write)) return Errno::perm;
  if (!sealed(abi::seal_grow) || at + bytes <= size_) return bytes;
  const std::uint64_t room = size_ - offset_in_page(size_);
  return at < room ? Result<std::size_t>(room - at) : Errno::perm;
}

Result<> RamFile::set_mode(std::uint32_t mode) {
  if (sealed(abi::seal_exec) && (this->mode() ^ mode) & 0111) return Errno::perm;
  return RamInode::set_mode(mode);
}

Result<> RamFile::add_seals(std::uint32_t seals) {
  if (sealed(abi::seal_seal)) return Errno::perm;
  if (seals & abi::seal_write && !sealed(abi::seal_write) && mappings.any_writes())
    return Errno::busy;
  if (seals & abi::seal_exec && mode() & 0111)
    seals |= abi::seal_shrink | abi::seal_grow | abi::seal_write | abi::seal_future_write;
  seals_ |= seals;
  return {};
}

}  // namespace guest
