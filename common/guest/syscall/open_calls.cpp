// System calls that open and close files, or make them without a name.
#include <utility>

#include "guest/abi/file_flags.h"
#include "guest/fs/ram/ramfs.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"
#include "guest/vfs/notice.h"

namespace guest {
namespace {

// Flags that say how to open; the open file does not remember them.
constexpr std::uint32_t opening_flags =
    abi::o_creat | abi::o_excl | abi::o_noctty | abi::o_trunc | abi::o_cloexec;

Last last_for(std::uint32_t flags) {
  bool create = flags & abi::o_creat, no_follow = flags & abi::o_nofollow;
  if (create && (no_follow || (flags & abi::o_excl))) return Last::entry;
  if (create) return Last::follow_or_create;
  return no_follow ? Last::no_follow : Last::follow;
}

Result<Ref<Inode>> create_regular(const PathResult& path, std::uint32_t mode) {
  if (path.trailing_slash) return Errno::isdir;
  mode &= 07777 & ~current_process().fs->umask;
  return make_node(path, mode_regular | mode, 0, current_caller());
}

// May what is there be opened this way?
Result<> check_existing(Inode& inode, std::uint32_t flags) {
  bool writes = (flags & abi::o_access) != abi::o_rdonly;
  if ((flags & (abi::o_creat | abi::o_excl)) == (abi::o_creat | abi::o_excl)) return Errno::exist;
  if (inode.is(mode_symlink) && !(flags & abi::o_path)) return Errno::loop;
  if (inode.is(mode_directory) && (writes || (flags & abi::o_creat))) return Errno::isdir;
  if (!inode.is(mode_directory) && flags & abi::o_directory) return Errno::notdir;
  if (inode.is(mode_socket)) return Errno::nxio;
  if (flags & abi::o_path) return {};
  std::uint32_t wanted = 0;
  if (abi::may_read(flags)) wanted |= may_read;
  if (abi::may_write(flags) || flags & abi::o_trunc) wanted |= may_write;
  TRY(check_access(inode, wanted, current_caller()));
  if (flags & abi::o_noatime) TRY(check_owner(inode, current_caller()));
  return writes || (flags & abi::o_trunc) ? inode.check_not_run() : Result<>();
}

struct Found : Place {
  bool created;
};

// Without the path itself: opening a FIFO sleeps, and many who do must not keep kernel memory.
Result<Found> find_or_create(int directory_fd, UserAddress path, std::uint32_t flags,
                             std::uint32_t mode) {
  PathResult found = TRY(path_argument(directory_fd, path, last_for(flags)));
  bool created = !found.inode;
  if (created)
    found.inode = TRY(create_regular(found, mode));
  else
    TRY(check_existing(*found.inode, flags));
  return Found{found.place(), created};
}

/// O_TMPFILE: the path says where.
Result<Found> make_unnamed_file(int directory_fd, UserAddress path, std::uint32_t flags,
                                std::uint32_t mode) {
  PathResult where = TRY(path_argument(directory_fd, path, last_for(flags & abi::o_nofollow)));
  if (!where.inode->is(mode_directory)) return Errno::notdir;
  mode &= 07777 & ~current_process().fs->umask;
  Ref<Inode> made = TRY(make_unnamed(*where.inode, mode, !(flags & abi::o_excl), current_caller()));
  return Found{{std::move(made), std::move(where.inode)}, true};
}

Result<> check_flags(std::uint32_t flags) {
  if ((flags & abi::o_creat) && (flags & abi::o_directory)) return Errno::inval;
  if (!(flags & abi::o_unnamed)) return {};
  return flags & abi::o_directory && (flags & abi::o_access) != abi::o_rdonly ? Result<>()
                                                                              : Errno::inval;
}

Result<std::int64_t> open_at(int directory_fd, UserAddress path, std::uint32_t flags,
                             std::uint32_t mode) {
  if (flags & abi::o_path)
    flags &= abi::o_path | abi::o_directory | abi::o_nofollow | abi::o_cloexec;
  TRY(check_flags(flags));
  Process& self = current_process();
  TRY(self.files->make_room(self.open_limit()));
  TRY(check_room_for_files(1));
  Found found = TRY((flags & abi::o_unnamed ? make_unnamed_file : find_or_create)(
      directory_fd, path, flags, mode));
  std::uint32_t kept = flags & ~opening_flags;
  Ref<File> file;
  if (flags & abi::o_path)
    file = TRY(make_ref<File>(found.inode, kept));  // a name for the inode: no driver is asked
  else
    file = TRY(found.inode->open(kept | abi::o_largefile));
  file->found_in = found.directory;
  if (!(flags & abi::o_path)) notice(*file, abi::in_open);
  // Last: who cannot open a file must not lose what is in it.
  if ((flags & abi::o_trunc) && !found.created && found.inode->is(mode_regular)) {
    TRY(take_set_ids(*found.inode, current_caller()));
    TRY(found.inode->truncate(0));
    notice(*file, abi::in_modify);
  }
  return install_file(std::move(file), flags);
}

}  // namespace

Result<std::int64_t> sys_open(const Args& args) {
  return open_at(abi::at_fdcwd, args.user(0), args.u32(1), args.u32(2));
}
Result<std::int64_t> sys_openat(const Args& args) {
  return open_at(args.i32(0), args.user(1), args.u32(2), args.u32(3));
}
Result<std::int64_t> sys_creat(const Args& args) {
  return open_at(abi::at_fdcwd, args.user(0), abi::o_creat | abi::o_wronly | abi::o_trunc,
                 args.u32(1));
}

Result<std::int64_t> sys_memfd_create(const Args& args) {
  constexpr std::size_t longest = 249;
  constexpr std::uint32_t known =
      abi::mfd_cloexec | abi::mfd_allow_sealing | abi::mfd_noexec_seal | abi::mfd_exec;
  const std::uint32_t flags = args.u32(1);
  const bool executable = !(flags & abi::mfd_noexec_seal);
  if (flags & ~known || (!executable && flags & abi::mfd_exec)) return Errno::inval;
  auto name = string_from_user(args.user(0), longest + 1);
  if (!name.ok() && name.error() == Errno::nametoolong) return Errno::inval;
  TRY(check_room_for_files(1));
  TRY(RamInode::check_room());
  const std::uint32_t seals = !executable                      ? abi::seal_exec
                              : flags & abi::mfd_allow_sealing ? 0
                                                               : abi::seal_seal;
  Ref<Inode> inode =
      TRY(make_ref<MemoryFile>(TRY(std::move(name)), executable ? 0777 : 0666, seals));
  TRY(inode->set_owner(current_caller().uid, current_caller().gid));
  return install_file(TRY(inode->open(abi::o_rdwr | abi::o_largefile)),
                      flags & abi::mfd_cloexec ? abi::o_cloexec : 0);
}

Result<std::int64_t> sys_close(const Args& args) {
  return as_zero(current_process().files->close(args.i32(0)));
}

Result<std::int64_t> sys_close_range(const Args& args) {
  constexpr std::uint32_t unshare = 2, cloexec = 4;
  std::uint32_t flags = args.u32(2);
  if ((flags & ~(unshare | cloexec)) || args.u32(0) > args.u32(1)) return Errno::inval;
  Process& process = current_process();
  if ((flags & unshare) && process.files.shared()) process.files = TRY(process.files->clone());
  process.files->close_range(args.u32(0), args.u32(1), flags & cloexec);
  return std::int64_t{0};
}

}  // namespace guest
