// System calls that read and change attributes: the stat family, access, mode, owner, times.
#include "guest/abi/file_flags.h"
#include "guest/abi/file_structs.h"
#include "guest/base/clock.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"
#include "guest/vfs/device_number.h"
#include "guest/vfs/notice.h"

namespace guest {
namespace {

Result<> put_stat(Inode& inode, UserAddress to) {
  Stat s = inode.stat();
  abi::FileStat out{};
  out.st_dev = s.device;
  out.st_ino = s.inode;
  out.st_nlink = s.links;
  out.st_mode = s.mode;
  out.st_uid = s.uid;
  out.st_gid = s.gid;
  out.st_rdev = s.rdev;
  out.st_size = s.size;
  out.st_blksize = s.block_size;
  out.st_blocks = s.blocks512;
  out.st_atime = s.atime_ns / ns_per_second;
  out.st_atime_nsec = s.atime_ns % ns_per_second;
  out.st_mtime = s.mtime_ns / ns_per_second;
  out.st_mtime_nsec = s.mtime_ns % ns_per_second;
  out.st_ctime = s.ctime_ns / ns_per_second;
  out.st_ctime_nsec = s.ctime_ns % ns_per_second;
  return put_user(to, out);
}

abi::StatxTime statx_time(std::uint64_t ns) {
  return {static_cast<std::int64_t>(ns / ns_per_second),
          static_cast<std::uint32_t>(ns % ns_per_second), 0};
}

Result<> put_statx(Inode& inode, UserAddress to) {
  Stat s = inode.stat();
  abi::FileStatx out{};
  out.mask = abi::statx_basic_stats;
  out.block_size = s.block_size;
  out.links = s.links;
  out.uid = s.uid;
  out.gid = s.gid;
  out.mode = static_cast<std::uint16_t>(s.mode);
  out.inode = s.inode;
  out.size = s.size;
  out.blocks = s.blocks512;
  out.atime = statx_time(s.atime_ns);
  out.ctime = statx_time(s.ctime_ns);
  out.mtime = statx_time(s.mtime_ns);
  out.rdev_major = device_major(s.rdev);
  out.rdev_minor = device_minor(s.rdev);
  out.dev_major = device_major(s.device);
  out.dev_minor = device_minor(s.device);
  return put_user(to, out);
}

Result<> put_file_system(Inode& inode, UserAddress to) {
  abi::FileSystemStat out{};
  out.type = abi::proc_magic;
  out.block_size = out.fragment_size = vmi::page_size;
  out.name_max = abi::name_max;
  if (auto space = inode.space(); space.ok()) {
    out.type = space.value().type;
    out.block_size = out.fragment_size = space.value().block_size;
    out.blocks = space.value().blocks;
    out.blocks_free = space.value().blocks_free;
    out.blocks_available = space.value().blocks_available;
    out.files = space.value().inodes;
    out.files_free = space.value().inodes_free;
  }
  return put_user(to, out);
}

Result<std::int64_t> access_at(int fd, UserAddress path, std::uint32_t wanted,
                               std::uint32_t flags) {
  if (wanted & ~(abi::r_ok | abi::w_ok | abi::x_ok)) return Errno::inval;
  const Credentials& ids = current_thread().credentials;
  const Caller caller = flags & abi::at_eaccess ? ids.caller() : ids.real_caller();
  Ref<Inode> inode = TRY(inode_argument(fd, path, flags, Last::follow, caller));
  const bool contents =
      inode->is(mode_regular) || inode->is(mode_directory) || inode->is(mode_symlink);
  if ((wanted & abi::w_ok) && contents) TRY(inode->check_writable());
  return as_zero(check_access(*inode, wanted, caller));
}

/// Root may give files away; an owner his to a group that he is in.
Result<std::int64_t> change_owner(const Place& place, std::uint32_t uid, std::uint32_t gid) {
  constexpr std::uint32_t unchanged = 0xffffffff;
  Inode& inode = *place.inode;
  const Caller caller = current_caller();
  if (!caller.is_root()) {
    TRY(check_owner(inode, caller));
    const bool gives_away = uid != unchanged && uid != caller.uid;
    const bool foreign = gid != unchanged && gid != inode.stat().gid && !caller.in_group(gid);
    if (gives_away || foreign) return Errno::perm;
  }
  const std::uint32_t lost = lost_set_ids(inode, caller);
  TRY(inode.set_owner(uid, gid));
  if (inode.mode() & lost) TRY(inode.set_mode(inode.mode() & ~lost));
  notice(place, abi::in_attrib);
  return std::int64_t{0};
}

/// Nobody makes a file run as a group that he is not in.
Result<std::int64_t> change_mode(const Place& place, std::uint32_t mode) {
  constexpr std::uint32_t set_group = 02000;
  Inode& inode = *place.inode;
  const Caller caller = current_caller();
  TRY(check_owner(inode, caller));
  if (!caller.is_root() && !caller.in_group(inode.stat().gid)) mode &= ~set_group;
  TRY(inode.set_mode(mode));
  notice(place, abi::in_attrib);
  return std::int64_t{0};
}

Result<std::int64_t> chown_at(int fd, UserAddress path, std::uint32_t uid, std::uint32_t gid,
                              std::uint32_t flags) {
  return change_owner(TRY(place_argument(fd, path, flags)), uid, gid);
}

Result<std::int64_t> chmod_at(int fd, UserAddress path, std::uint32_t mode) {
  return change_mode(TRY(place_argument(fd, path, 0)), mode);
}

}  // namespace

Result<std::int64_t> sys_stat(const Args& args) {
  return as_zero(put_stat(*TRY(inode_argument(abi::at_fdcwd, args.user(0), 0)), args.user(1)));
}
Result<std::int64_t> sys_lstat(const Args& args) {
  Ref<Inode> inode = TRY(inode_argument(abi::at_fdcwd, args.user(0), abi::at_symlink_nofollow));
  return as_zero(put_stat(*inode, args.user(1)));
}
Result<std::int64_t> sys_fstat(const Args& args) {
  return as_zero(put_stat(TRY(current_process().files->get(args.i32(0)))->inode(), args.user(1)));
}
Result<std::int64_t> sys_newfstatat(const Args& args) {
  constexpr std::uint32_t known =
      abi::at_symlink_nofollow | abi::at_no_automount | abi::at_empty_path;
  if (args.u32(3) & ~known) return Errno::inval;
  Ref<Inode> inode = TRY(inode_argument(args.i32(0), args.user(1), args.u32(3)));
  return as_zero(put_stat(*inode, args.user(2)));
}

Result<std::int64_t> sys_statx(const Args& args) {
  constexpr std::uint32_t known = abi::at_symlink_nofollow | abi::at_no_automount |
                                  abi::at_empty_path | abi::at_statx_sync_type;
  constexpr std::uint32_t reserved_mask = 0x8000'0000;
  if (args.u32(2) & ~known || args.u32(3) & reserved_mask) return Errno::inval;
  if ((args.u32(2) & abi::at_statx_sync_type) == abi::at_statx_sync_type) return Errno::inval;
  Ref<Inode> inode = TRY(inode_argument(args.i32(0), args.user(1), args.u32(2)));
  return as_zero(put_statx(*inode, args.user(4)));
}

Result<std::int64_t> sys_statfs(const Args& args) {
  Ref<Inode> inode = TRY(inode_argument(abi::at_fdcwd, args.user(0), 0));
  return as_zero(put_file_system(*inode, args.user(1)));
}
Result<std::int64_t> sys_fstatfs(const Args& args) {
  Ref<File> file = TRY(current_process().files->get(args.i32(0)));
  return as_zero(put_file_system(file->inode(), args.user(1)));
}

Result<std::int64_t> sys_access(const Args& args) {
  return access_at(abi::at_fdcwd, args.user(0), args.u32(1), 0);
}
Result<std::int64_t> sys_faccessat(const Args& args) {
  return access_at(args.i32(0), args.user(1), args.u32(2), 0);
}
Result<std::int64_t> sys_faccessat2(const Args& args) {
  if (args.u32(3) & ~(abi::at_eaccess | abi::at_symlink_nofollow | abi::at_empty_path))
    return Errno::inval;
  return access_at(args.i32(0), args.user(1), args.u32(2), args.u32(3));
}

Result<std::int64_t> sys_chmod(const Args& args) {
  return chmod_at(abi::at_fdcwd, args.user(0), args.u32(1));
}
Result<std::int64_t> sys_fchmodat(const Args& args) {
  return chmod_at(args.i32(0), args.user(1), args.u32(2));
}
Result<std::int64_t> sys_fchmod(const Args& args) {
  return change_mode(TRY(file_argument(args.i32(0)))->place(), args.u32(1));
}

Result<std::int64_t> sys_chown(const Args& args) {
  return chown_at(abi::at_fdcwd, args.user(0), args.u32(1), args.u32(2), 0);
}
Result<std::int64_t> sys_lchown(const Args& args) {
  return chown_at(abi::at_fdcwd, args.user(0), args.u32(1), args.u32(2), abi::at_symlink_nofollow);
}
Result<std::int64_t> sys_fchownat(const Args& args) {
  if (args.u32(4) & ~(abi::at_symlink_nofollow | abi::at_empty_path)) return Errno::inval;
  return chown_at(args.i32(0), args.user(1), args.u32(2), args.u32(3), args.u32(4));
}
Result<std::int64_t> sys_fchown(const Args& args) {
  Ref<File> file = TRY(file_argument(args.i32(0)));
  return change_owner(file->place(), args.u32(1), args.u32(2));
}

Result<std::int64_t> sys_umask(const Args& args) {
  FsContext& fs = *current_process().fs;
  return static_cast<std::int64_t>(std::exchange(fs.umask, args.u32(0) & 0777));
}

// -- Times. All five calls end in set_times, with two timespecs (seconds and nanoseconds).
namespace {

Result<std::uint64_t> moment(const abi::FileTimespec& time, std::uint64_t present) {
  if (time.nanoseconds == abi::utime_now) return realtime_ns();
  if (time.nanoseconds == abi::utime_omit) return present;
  if (time.nanoseconds < 0 || time.nanoseconds >= static_cast<std::int64_t>(ns_per_second))
    return Errno::inval;
  if (time.seconds < 0) return std::uint64_t{0};  // before 1970: as early as we can tell
  return static_cast<std::uint64_t>(time.seconds) * ns_per_second +
         static_cast<std::uint64_t>(time.nanoseconds);
}

struct TimePair {
  abi::FileTimespec access{0, abi::utime_now}, modification{0, abi::utime_now};
};

Result<std::int64_t> set_times(const Place& place, const TimePair& times) {
  Inode& inode = *place.inode;
  Stat s = inode.stat();
  std::uint64_t access = TRY(moment(times.access, s.atime_ns));
  std::uint64_t modification = TRY(moment(times.modification, s.mtime_ns));
  const bool now = times.access.nanoseconds == abi::utime_now &&
                   times.modification.nanoseconds == abi::utime_now;
  const bool neither = times.access.nanoseconds == abi::utime_omit &&
                       times.modification.nanoseconds == abi::utime_omit;
  if (neither) return std::int64_t{0};
  if (auto owns = check_owner(inode, current_caller()); !owns.ok())
    TRY(now ? check_access(inode, may_write, current_caller()) : owns.error());
  TRY(inode.set_times(access, modification));
  notice(place, times.access.nanoseconds == abi::utime_omit         ? abi::in_modify
                : times.modification.nanoseconds == abi::utime_omit ? abi::in_access
                                                                    : abi::in_attrib);
  return std::int64_t{0};
}

Result<TimePair> timeval_pair(UserAddress from) {
  TimePair times;
  if (!from) return times;
  for (auto* time : {&times.access, &times.modification}) {
    auto value = TRY(get_user<abi::FileTimeval>(from));
    if (value.microseconds < 0 || value.microseconds >= 1'000'000) return Errno::inval;
    *time = {value.seconds, value.microseconds * 1000};
    from = from + sizeof value;
  }
  return times;
}

}  // namespace

Result<std::int64_t> sys_utimensat(const Args& args) {
  TimePair times;
  if (args.user(2)) times = TRY(get_user<TimePair>(args.user(2)));
  if (args.u32(3) & ~(abi::at_symlink_nofollow | abi::at_empty_path)) return Errno::inval;
  if (!args.user(1)) return set_times(TRY(file_argument(args.i32(0)))->place(), times);
  return set_times(TRY(place_argument(args.i32(0), args.user(1), args.u32(3))), times);
}

Result<std::int64_t> sys_utimes(const Args& args) {
  TimePair times = TRY(timeval_pair(args.user(1)));
  return set_times(TRY(place_argument(abi::at_fdcwd, args.user(0), 0)), times);
}

Result<std::int64_t> sys_futimesat(const Args& args) {
  TimePair times = TRY(timeval_pair(args.user(2)));
  if (!args.user(1)) return set_times(TRY(file_argument(args.i32(0)))->place(), times);
  return set_times(TRY(place_argument(args.i32(0), args.user(1), 0)), times);
}

Result<std::int64_t> sys_utime(const Args& args) {
  TimePair times;
  if (args.user(1)) {
    times.access = {TRY(get_user<std::int64_t>(args.user(1))), 0};
    times.modification = {TRY(get_user<std::int64_t>(args.user(1) + 8)), 0};
  }
  return set_times(TRY(place_argument(abi::at_fdcwd, args.user(0), 0)), times);
}

}  // namespace guest
