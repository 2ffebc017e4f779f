// System calls on descriptors: dup and its kin, fcntl, ioctl.
#include "guest/abi/file_flags.h"
#include "guest/abi/file_structs.h"
#include "guest/fs/pipe/pipe.h"
#include "guest/net/socket.h"
#include "guest/proc/process.h"
#include "guest/syscall/lock_calls.h"
#include "guest/syscall/path_arguments.h"

namespace guest {
namespace {

FileTable& files() {
  return *current_process().files;
}
int end_of_files() {
  return current_process().open_limit();
}

Result<std::int64_t> duplicate_from(int fd, std::int64_t minimum, bool close_on_exec) {
  if (minimum < 0 || minimum >= end_of_files()) return Errno::inval;
  Ref<File> file = TRY(files().get(fd));
  return as_count(
      files().install(std::move(file), end_of_files(), close_on_exec, static_cast<int>(minimum)));
}

Result<std::int64_t> duplicate_to(int fd, int to, bool close_on_exec) {
  TRY(files().install_at(to, TRY(files().get(fd)), end_of_files(), close_on_exec));
  return std::int64_t{to};
}

Result<std::int64_t> set_status(File& file, std::uint32_t flags) {
  if (auto* socket = file_as<Socket>(file)) socket->set_async(flags & abi::o_async);
  file.flags = (file.flags & ~abi::o_settable) | (flags & abi::o_settable);
  return std::int64_t{0};
}

/// Commands that ask nothing of the file: they work with O_PATH, too.
bool of_the_descriptor(int command) {
  return command == abi::f_dupfd || command == abi::f_dupfd_cloexec || command == abi::f_getfd ||
         command == abi::f_setfd || command == abi::f_getfl;
}

/// Who is signalled when something happens: sockets alone do that.
Result<std::int64_t> owner_of(File& file, const Args& args) {
  enum OwnerType : std::int32_t { process = 1, group = 2 };
  auto* socket = file_as<Socket>(file);
  const int id = socket ? socket->owner.id() : 0;
  switch (args.i32(1)) {
    case abi::f_getown:
      return std::int64_t{id};
    case abi::f_setown:
      return as_zero(socket ? socket->owner.set(args.i32(2)) : Result<>());
    case abi::f_getown_ex:
      return as_zero(put_user(args.user(2),
                              id < 0 ? abi::FileOwner{group, -id} : abi::FileOwner{process, id}));
    default: {
      const auto wanted = TRY(get_user<abi::FileOwner>(args.user(2)));
      if (wanted.type != process && wanted.type != group) return Errno::inval;
      if (wanted.id < 0) return Errno::srch;
      return as_zero(socket ? socket->owner.set(wanted.type == group ? -wanted.id : wanted.id)
                            : Result<>());
    }
  }
}

}  // namespace

Result<std::int64_t> sys_dup(const Args& args) {
  return as_count(files().install(TRY(files().get(args.i32(0))), end_of_files()));
}

Result<std::int64_t> sys_dup2(const Args& args) {
  if (args.i32(0) == args.i32(1)) {
    TRY(files().get(args.i32(0)));
    return std::int64_t{args.i32(1)};
  }
  return duplicate_to(args.i32(0), args.i32(1), false);
}

Result<std::int64_t> sys_dup3(const Args& args) {
  if (args.u32(2) & ~abi::o_cloexec) return Errno::inval;
  if (args.i32(0) == args.i32(1)) return Errno::inval;
  return duplicate_to(args.i32(0), args.i32(1), args.u32(2) & abi::o_cloexec);
}

Result<std::int64_t> sys_fcntl(const Args& args) {
  int fd = args.i32(0);
  Ref<File> file = TRY(files().get(fd));
  if (file->flags & abi::o_path && !of_the_descriptor(args.i32(1))) return Errno::badf;
  switch (args.i32(1)) {
    case abi::f_dupfd:
      return duplicate_from(fd, args.i32(2), false);
    case abi::f_dupfd_cloexec:
      return duplicate_from(fd, args.i32(2), true);
    case abi::f_getfd:
      return std::int64_t{TRY(files().close_on_exec_flag(fd)) ? abi::fd_cloexec : 0};
    case abi::f_setfd:
      return as_zero(files().set_close_on_exec_flag(fd, args.u32(2) & abi::fd_cloexec));
    case abi::f_getfl:
      return std::int64_t{file->flags};
    case abi::f_setfl:
      return set_status(*file, args.u32(2));
    case abi::f_setown:
    case abi::f_getown:
    case abi::f_setown_ex:
    case abi::f_getown_ex:
      return owner_of(*file, args);
    case abi::f_getpipe_size:
      if (!file->inode().is(mode_fifo)) return Errno::badf;
      return std::int64_t{Pipe::capacity};
    case abi::f_add_seals:
      if (!abi::may_write(file->flags)) return Errno::perm;
      if (args.u64(2) & ~std::uint64_t{abi::all_seals}) return Errno::inval;
      return as_zero(file->inode().add_seals(args.u32(2)));
    case abi::f_get_seals:
      return as_count(file->inode().seals());
    default:
      return lock_command(*file, args);
  }
}

Result<std::int64_t> sys_ioctl(const Args& args) {
  Ref<File> file = TRY(file_argument(args.i32(0)));
  switch (args.u32(1)) {
    case abi::fioclex:
      return as_zero(files().set_close_on_exec_flag(args.i32(0), true));
    case abi::fionclex:
      return as_zero(files().set_close_on_exec_flag(args.i32(0), false));
    case abi::fionbio: {
      bool on = TRY(get_user<std::int32_t>(args.user(2))) != 0;
      file->flags = on ? file->flags | abi::o_nonblock : file->flags & ~abi::o_nonblock;
      return std::int64_t{0};
    }
    case abi::fionread:
      if (file->inode().is(mode_regular)) {
        auto left = file->inode().stat().size - file->position;
        return as_zero(put_user(args.user(2), static_cast<std::int32_t>(left)));
      }
      break;
    default:
      break;
  }
  return file->ioctl(args.u32(1), args.u64(2));
}

}  // namespace guest
