// System calls on names: listing, making, removing and moving directory entries, and the working
// directory.
#include "guest/abi/file_flags.h"
#include "guest/abi/file_structs.h"
#include "guest/base/progress.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"
#include "guest/vfs/mounts.h"
#include "guest/vfs/notice.h"

namespace guest {
namespace {

std::uint32_t without_umask(std::uint32_t mode) {
  return mode & ~current_process().fs->umask;
}

/// A name that is free, where something is to be made.
Result<PathResult> new_name(int directory_fd, UserAddress path, bool for_directory = false) {
  PathResult found = TRY(path_argument(directory_fd, path, Last::entry));
  if (found.inode) return Errno::exist;
  if (found.trailing_slash && !for_directory) return Errno::noent;
  return found;
}

// -- getdents64

constexpr std::size_t record_bytes(std::size_t name_length) {
  return (sizeof(abi::Dirent64) + name_length + 1 + 7) & ~std::size_t{7};
}

Result<> put_entry(UserAddress to, const DirectoryEntry& entry, std::uint64_t next) {
  constexpr int type_shift = 12;  // DT_ values are the mode's type bits
  alignas(8) std::uint8_t record[record_bytes(abi::name_max)] = {};
  std::size_t bytes = record_bytes(entry.name.size());
  abi::Dirent64 head{entry.inode, static_cast<std::int64_t>(next),
                     static_cast<std::uint16_t>(bytes),
                     static_cast<std::uint8_t>((entry.mode & mode_type) >> type_shift)};
  __builtin_memcpy(record, &head, sizeof head);
  __builtin_memcpy(record + sizeof head, entry.name.data(), entry.name.size());
  return copy_to_user(to, record, bytes);
}

// -- What the calls without and with a directory descriptor share

Result<std::int64_t> mkdir_at(int fd, UserAddress path, std::uint32_t mode) {
  PathResult name = TRY(new_name(fd, path, true));
  TRY(make_node(name, mode_directory | (without_umask(mode) & 01777), 0, current_caller()));
  return std::int64_t{0};
}

/// What can be made by mknod; for the rest there are calls of their own, or nothing at all.
Result<> check_node_type(std::uint32_t type) {
  switch (type) {
    case 0:
    case mode_regular:
    case mode_character:
    case mode_block:
    case mode_fifo:
    case mode_socket:
      return {};
    default:
      return type == mode_directory ? Errno::perm : Errno::inval;
  }
}

Result<std::int64_t> mknod_at(int fd, UserAddress path, std::uint32_t mode, std::uint64_t device) {
  TRY(check_node_type(mode & mode_type));
  PathResult name = TRY(new_name(fd, path));
  std::uint32_t masked = (mode & mode_type) | (without_umask(mode) & 07777);
  const bool is_device = masked & mode_type && (mode & mode_type) != mode_regular &&
                         (mode & mode_type) != mode_fifo && (mode & mode_type) != mode_socket;
  if (is_device && !current_caller().is_root()) return Errno::perm;
  if (!(masked & mode_type)) masked |= mode_regular;
  TRY(make_node(name, masked, device, current_caller()));
  return std::int64_t{0};
}

Result<std::int64_t> unlink_at(int fd, UserAddress path) {
  PathResult found = TRY(path_argument(fd, path, Last::entry));
  if (!found.inode) return Errno::noent;
  if (!found.has_name()) return Errno::isdir;
  TRY(check_removing(*found.directory, *found.inode, current_caller()));
  TRY(found.directory->unlink(found.last));
  found.inode->note_place(found.directory, found.last, true);
  notice_removed(*found.directory, found.last, *found.inode);
  return std::int64_t{0};
}

Result<std::int64_t> rmdir_at(int fd, UserAddress path) {
  PathResult found = TRY(path_argument(fd, path, Last::entry));
  if (!found.inode) return Errno::noent;
  if (found.inode == current_process().fs->root || !mount_name(*found.inode).empty())
    return Errno::busy;
  if (!found.has_name()) return found.last == "." ? Errno::inval : Errno::notempty;
  TRY(check_removing(*found.directory, *found.inode, current_caller()));
  TRY(found.directory->rmdir(found.last));
  found.inode->note_place(found.directory, found.last, true);
  notice_removed(*found.directory, found.last, *found.inode);
  return std::int64_t{0};
}

Result<> check_renaming(const PathResult& from, const PathResult& to, bool exchanges,
                        const Caller& caller) {
  TRY(check_removing(*from.directory, *from.inode, caller));
  TRY(to.inode ? check_removing(*to.directory, *to.inode, caller)
               : check_adding(*to.directory, caller));
  // A directory that moves gets another "..".
  if (from.directory == to.directory) return {};
  if (from.inode->is(mode_directory)) TRY(check_access(*from.inode, may_write, caller));
  if (exchanges && to.inode->is(mode_directory)) TRY(check_access(*to.inode, may_write, caller));
  return {};
}

Result<std::int64_t> rename_at(int from_fd, UserAddress from_path, int to_fd, UserAddress to_path,
                               std::uint32_t flags) {
  if (flags & ~(abi::rename_noreplace | abi::rename_exchange)) return Errno::inval;
  const bool exchanges = flags & abi::rename_exchange, keeps = flags & abi::rename_noreplace;
  if (exchanges && keeps) return Errno::inval;
  PathResult from = TRY(path_argument(from_fd, from_path, Last::entry));
  PathResult to = TRY(path_argument(to_fd, to_path, Last::entry));
  if (!from.has_name()) return Errno::busy;
  if (!to.has_name()) return keeps ? Errno::exist : Errno::busy;
  if (!from.inode) return Errno::noent;
  if (!mount_name(*from.inode).empty() || (to.inode && !mount_name(*to.inode).empty()))
    return Errno::busy;
  if (to.inode && keeps) return Errno::exist;
  if (exchanges && !to.inode) return Errno::noent;
  if (to.trailing_slash && !(exchanges ? to : from).inode->is(mode_directory)) return Errno::notdir;
  TRY(check_renaming(from, to, exchanges, current_caller()));
  if (exchanges && from.directory->file_system() != to.directory->file_system()) return Errno::xdev;
  TRY(exchanges ? from.directory->exchange(from.last, *to.directory, to.last)
                : from.directory->rename(from.last, *to.directory, to.last));
  if (from.inode == to.inode) return std::int64_t{0};  // two names of one file: both stay
  from.inode->note_place(to.directory, to.last, false);
  if (exchanges)
    to.inode->note_place(from.directory, from.last, false);
  else if (to.inode)
    to.inode->note_place(to.directory, to.last, true);
  notice_moved(from, to, exchanges);
  return std::int64_t{0};
}

Result<std::int64_t> link_at(int from_fd, UserAddress from_path, int to_fd, UserAddress to_path,
                             std::uint32_t flags) {
  if (flags & ~(abi::at_symlink_follow | abi::at_empty_path)) return Errno::inval;
  Last last = (flags & abi::at_symlink_follow) ? Last::follow : Last::no_follow;
  Ref<Inode> inode = TRY(inode_argument(from_fd, from_path, flags & abi::at_empty_path, last));
  PathResult to = TRY(new_name(to_fd, to_path));
  TRY(check_linking(*inode, current_caller()));
  TRY(check_adding(*to.directory, current_caller()));
  TRY(to.directory->link(to.last, *inode));
  notice(*inode, abi::in_attrib);
  notice_entry(*to.directory, abi::in_create, to.last);
  return std::int64_t{0};
}

Result<std::int64_t> symlink_at(UserAddress target, int fd, UserAddress path) {
  String text = TRY(string_from_user(target, abi::path_max));
  if (text.size() == 0) return Errno::noent;
  PathResult name = TRY(new_name(fd, path));
  TRY(check_adding(*name.directory, current_caller()));
  TRY(give_to(current_caller(), *TRY(name.directory->symlink(name.last, text.view())),
              *name.directory));
  notice_entry(*name.directory, abi::in_create, name.last);
  return std::int64_t{0};
}

Result<std::int64_t> readlink_at(int fd, UserAddress path, UserAddress to, std::int64_t bytes) {
  if (bytes <= 0) return Errno::inval;
  // An empty path means the descriptor itself, with no flag to say so.
  Ref<Inode> inode = TRY(inode_argument(fd, path, abi::at_empty_path, Last::no_follow));
  String target = TRY(inode->target());
  inode->accessed();
  auto length = static_cast<std::int64_t>(target.size());
  if (length > bytes) length = bytes;
  TRY(copy_to_user(to, target.c_str(), static_cast<std::size_t>(length)));
  return length;
}

Result<std::int64_t> change_directory(Ref<Inode>& which, Ref<Inode> directory) {
  if (!directory->is(mode_directory)) return Errno::notdir;
  TRY(check_access(*directory, may_execute, current_caller()));
  which = std::move(directory);
  return std::int64_t{0};
}

// The older layout: the type is the last byte of all.
std::size_t old_record_bytes(std::size_t name_length) {
  constexpr std::size_t before_name = 18, nul_and_type = 2;
  return (before_name + name_length + nul_and_type + 7) & ~std::size_t{7};
}
Result<> put_old_entry(UserAddress to, const DirectoryEntry& entry, std::uint64_t next) {
  char record[8 + 8 + 2 + abi::name_max + 2 + 7] = {};
  const std::size_t bytes = old_record_bytes(entry.name.size());
  const auto short_bytes = static_cast<std::uint16_t>(bytes);
  __builtin_memcpy(record, &entry.inode, 8);
  __builtin_memcpy(record + 8, &next, 8);
  __builtin_memcpy(record + 16, &short_bytes, 2);
  __builtin_memcpy(record + 18, entry.name.data(), entry.name.size());
  record[bytes - 1] = static_cast<char>((entry.mode & mode_type) >> 12);
  return copy_to_user(to, static_cast<const void*>(record), bytes);
}

/// Calls `put(to, entry, next position)` for each entry that there is room for.
template <class Size, class Put>
Result<std::int64_t> read_entries(const Args& args, Size record_size, Put put) {
  Ref<File> file = TRY(file_argument(args.i32(0)));
  if (!file->inode().is(mode_directory)) return Errno::notdir;
  if (file->inode().stat().links == 0) return Errno::noent;  // it was removed
  std::size_t done = 0, room = args.u32(2);
  for (;;) {
    std::uint64_t position = file->position;
    auto entry = entry_through_mounts(file->inode(), position);
    if (!entry.ok()) {
      if (entry.error() == Errno::noent) break;
      return as_count(moved(entry.error(), done));
    }
    std::size_t bytes = record_size(entry.value().name.size());
    if (bytes > room - done) {
      if (done == 0) return Errno::inval;
      break;
    }
    auto written = put(args.user(1) + done, entry.value(), position);
    if (!written.ok()) return as_count(moved(written, done));
    done += bytes;
    file->position = position;
  }
  file->note_access();
  notice(*file, abi::in_access);
  return static_cast<std::int64_t>(done);
}

}  // namespace

Result<std::int64_t> sys_getdents64(const Args& args) {
  return read_entries(args, record_bytes, put_entry);
}
Result<std::int64_t> sys_getdents(const Args& args) {
  return read_entries(args, old_record_bytes, put_old_entry);
}

Result<std::int64_t> sys_getcwd(const Args& args) {
  String path = TRY(current_process().fs->working_path());
  std::size_t bytes = path.size() + 1;
  if (args.u64(1) < bytes) return Errno::range;
  TRY(copy_to_user(args.user(0), path.c_str(), bytes));
  return static_cast<std::int64_t>(bytes);
}

Result<std::int64_t> sys_chdir(const Args& args) {
  return change_directory(current_process().fs->cwd,
                          TRY(inode_argument(abi::at_fdcwd, args.user(0), 0)));
}
Result<std::int64_t> sys_fchdir(const Args& args) {
  return change_directory(current_process().fs->cwd,
                          TRY(current_process().files->get(args.i32(0)))->inode_ref());
}
Result<std::int64_t> sys_chroot(const Args& args) {
  Ref<Inode> directory = TRY(inode_argument(abi::at_fdcwd, args.user(0), 0));
  if (directory->is(mode_directory) && !current_caller().is_root()) {
    TRY(check_access(*directory, may_execute, current_caller()));
    return Errno::perm;
  }
  return change_directory(current_process().fs->root, std::move(directory));
}

Result<std::int64_t> sys_mkdir(const Args& args) {
  return mkdir_at(abi::at_fdcwd, args.user(0), args.u32(1));
}
Result<std::int64_t> sys_mkdirat(const Args& args) {
  return mkdir_at(args.i32(0), args.user(1), args.u32(2));
}
Result<std::int64_t> sys_mknod(const Args& args) {
  return mknod_at(abi::at_fdcwd, args.user(0), args.u32(1), args.u32(2));
}
Result<std::int64_t> sys_mknodat(const Args& args) {
  return mknod_at(args.i32(0), args.user(1), args.u32(2), args.u32(3));
}
Result<std::int64_t> sys_rmdir(const Args& args) {
  return rmdir_at(abi::at_fdcwd, args.user(0));
}
Result<std::int64_t> sys_unlink(const Args& args) {
  return unlink_at(abi::at_fdcwd, args.user(0));
}
Result<std::int64_t> sys_unlinkat(const Args& args) {
  if (args.u32(2) & ~abi::at_removedir) return Errno::inval;
  if (args.u32(2) & abi::at_removedir) return rmdir_at(args.i32(0), args.user(1));
  return unlink_at(args.i32(0), args.user(1));
}

Result<std::int64_t> sys_rename(const Args& args) {
  return rename_at(abi::at_fdcwd, args.user(0), abi::at_fdcwd, args.user(1), 0);
}
Result<std::int64_t> sys_renameat(const Args& args) {
  return rename_at(args.i32(0), args.user(1), args.i32(2), args.user(3), 0);
}
Result<std::int64_t> sys_renameat2(const Args& args) {
  return rename_at(args.i32(0), args.user(1), args.i32(2), args.user(3), args.u32(4));
}

Result<std::int64_t> sys_link(const Args& args) {
  return link_at(abi::at_fdcwd, args.user(0), abi::at_fdcwd, args.user(1), 0);
}
Result<std::int64_t> sys_linkat(const Args& args) {
  return link_at(args.i32(0), args.user(1), args.i32(2), args.user(3), args.u32(4));
}
Result<std::int64_t> sys_symlink(const Args& args) {
  return symlink_at(args.user(0), abi::at_fdcwd, args.user(1));
}
Result<std::int64_t> sys_symlinkat(const Args& args) {
  return symlink_at(args.user(0), args.i32(1), args.user(2));
}
Result<std::int64_t> sys_readlink(const Args& args) {
  return readlink_at(abi::at_fdcwd, args.user(0), args.user(1), args.i32(2));
}
Result<std::int64_t> sys_readlinkat(const Args& args) {
  return readlink_at(args.i32(0), args.user(1), args.user(2), args.i32(3));
}

}  // namespace guest
