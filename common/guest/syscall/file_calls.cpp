// System calls that move file contents: read, write and their kin, lseek, truncate, sync.
#include <algorithm>

#include "guest/abi/file_flags.h"
#include "guest/abi/file_structs.h"
#include "guest/base/progress.h"
#include "guest/drivers/entropy.h"
#include "guest/fs/root/disk.h"
#include "guest/heap/vec.h"
#include "guest/proc/process.h"
#include "guest/syscall/contents.h"
#include "guest/syscall/message_arguments.h"
#include "guest/syscall/path_arguments.h"
#include "guest/vfs/notice.h"
#include "guest/vfs/transfer.h"

namespace guest {
namespace {

// For a call with an offset: whether it and the file go together is asked before anything else.
Result<Ref<File>> file_at(int fd, std::int64_t at, bool (*allows)(std::uint32_t flags)) {
  if (at < 0) return Errno::inval;
  Ref<File> file = TRY(file_argument(fd));
  if (!file->seekable()) return Errno::spipe;
  if (!allows(file->flags)) return Errno::badf;
  return file;
}

Result<std::size_t> write_on(File& file, UserAddress from, std::size_t bytes) {
  return file.write(from, TRY(before_write(file.inode(), write_position(file), bytes)));
}

Result<> change_size(const Place& place, std::uint64_t size) {
  Inode& inode = *place.inode;
  TRY(take_set_ids(inode, current_caller()));
  if (const std::uint64_t old = inode.is(mode_regular) ? inode.stat().size : size; size > old)
    TRY(before_write(inode, size - 1, 1));
  TRY(inode.truncate(size));
  notice(place, abi::in_modify);
  return {};
}

/// No file reaches beyond a signed offset.
Result<> check_span(std::int64_t at, std::size_t bytes) {
  std::int64_t end;
  const bool beyond = __builtin_add_overflow(at, bytes, &end);
  return at < 0 || beyond ? Errno::inval : Result<>();
}

Result<std::size_t> read_at(File& file, std::int64_t at, UserAddress to, std::size_t bytes) {
  TRY(check_span(at, bytes));
  if (!file.inode().is(mode_regular)) return file.read(to, bytes);
  const std::size_t done = TRY(file.inode().read(static_cast<std::uint64_t>(at), to, bytes));
  if (bytes) file.note_access();
  if (done) notice(file, abi::in_access);
  return done;
}

Result<std::size_t> write_at(File& file, std::int64_t at, UserAddress from, std::size_t bytes) {
  TRY(check_span(at, bytes));
  if (!file.inode().is(mode_regular)) return file.write(from, bytes);
  auto offset = static_cast<std::uint64_t>(at);
  if (file.flags & abi::o_append) offset = file.inode().stat().size;  // Linux, not POSIX
  return file.write_at(offset, from, TRY(before_write(file.inode(), offset, bytes)));
}

// A vector of `bytes`, as one write: into a pipe so few go together or not at all.
Result<std::size_t> write_together(File& file, UserAddress vector, std::uint64_t parts,
                                   std::size_t bytes) {
  Vec<std::uint8_t> all(HeapKind::file);  // it may sleep
  TRY(all.reserve(bytes));
  auto gathered = for_each_part(
      vector, parts,
      [&](UserAddress from, std::size_t part, std::size_t done) -> Result<std::size_t> {
        if (part > bytes - done) return Errno::fault;  // somebody has changed the vector
        TRY(copy_from_user(all.begin() + done, from, part));
        return part;
      });
  if (!gathered.ok() || gathered.value() != bytes)
    return file.poll_state() & abi::poll_err ? Errno::pipe : Errno::fault;
  return file.write(Source(all.begin()), bytes);
}

}  // namespace

Result<std::int64_t> sys_read(const Args& args) {
  Ref<File> file = TRY(readable_file(args.i32(0)));
  return as_count(file->read(args.user(1), TRY(buffer_bytes(args.user(1), args.u64(2)))));
}

Result<std::int64_t> sys_write(const Args& args) {
  Ref<File> file = TRY(writable_file(args.i32(0)));
  const std::size_t bytes = TRY(buffer_bytes(args.user(1), args.u64(2)));
  return written(*file, bytes, write_on(*file, args.user(1), bytes));
}

Result<std::int64_t> sys_pread64(const Args& args) {
  Ref<File> file = TRY(file_at(args.i32(0), args.i64(3), abi::may_read));
  return as_count(
      read_at(*file, args.i64(3), args.user(1), TRY(buffer_bytes(args.user(1), args.u64(2)))));
}

Result<std::int64_t> sys_pwrite64(const Args& args) {
  Ref<File> file = TRY(file_at(args.i32(0), args.i64(3), abi::may_write));
  const std::size_t bytes = TRY(buffer_bytes(args.user(1), args.u64(2)));
  return written(*file, bytes, write_at(*file, args.i64(3), args.user(1), bytes));
}

Result<std::int64_t> sys_readv(const Args& args) {
  Ref<File> file = TRY(readable_file(args.i32(0)));
  if (auto* socket = file_as<Socket>(*file))
    return read_message(*socket, args.user(1), args.u64(2));
  return as_count(for_each_part(
      args.user(1), args.u64(2),
      [&](UserAddress to, std::size_t bytes, std::size_t) { return file->read(to, bytes); }));
}

Result<std::int64_t> sys_writev(const Args& args) {
  Ref<File> file = TRY(writable_file(args.i32(0)));
  if (auto* socket = file_as<Socket>(*file))
    return write_message(*socket, args.user(1), args.u64(2));
  if (file->inode().is(mode_fifo)) {
    const std::size_t bytes = TRY(check_vector(args.user(1), args.u64(2)));
    if (bytes <= abi::pipe_buf)
      return written(*file, bytes, write_together(*file, args.user(1), args.u64(2), bytes));
  }
  auto write = [&](UserAddress from, std::size_t bytes, std::size_t) {
    return write_on(*file, from, bytes);
  };
  return written(*file, max_bytes, for_each_part(args.user(1), args.u64(2), write));
}

Result<std::int64_t> sys_preadv(const Args& args) {
  Ref<File> file = TRY(file_at(args.i32(0), args.i64(3), abi::may_read));
  TRY(check_span(args.i64(3), TRY(check_vector(args.user(1), args.u64(2)))));
  return as_count(for_each_part(args.user(1), args.u64(2),
                                [&](UserAddress to, std::size_t bytes, std::size_t done) {
                                  auto at = args.i64(3) + static_cast<std::int64_t>(done);
                                  return read_at(*file, at, to, bytes);
                                }));
}

Result<std::int64_t> sys_pwritev(const Args& args) {
  Ref<File> file = TRY(file_at(args.i32(0), args.i64(3), abi::may_write));
  TRY(check_span(args.i64(3), TRY(check_vector(args.user(1), args.u64(2)))));
  auto write = [&](UserAddress from, std::size_t bytes, std::size_t done) {
    return write_at(*file, args.i64(3) + static_cast<std::int64_t>(done), from, bytes);
  };
  return written(*file, max_bytes, for_each_part(args.user(1), args.u64(2), write));
}

Result<std::int64_t> sys_lseek(const Args& args) {
  Ref<File> file = TRY(file_argument(args.i32(0)));
  return as_count(file->seek(args.i64(1), args.i32(2)));
}

Result<std::int64_t> sys_truncate(const Args& args) {
  if (args.i64(1) < 0) return Errno::inval;
  const Place place = TRY(path_argument(abi::at_fdcwd, args.user(0), Last::follow)).place();
  const Ref<Inode>& inode = place.inode;
  if (inode->is(mode_directory)) return Errno::isdir;
  TRY(check_access(*inode, may_write, current_caller()));
  TRY(inode->check_not_run());
  return as_zero(change_size(place, args.u64(1)));
}

Result<std::int64_t> sys_ftruncate(const Args& args) {
  if (args.i64(1) < 0) return Errno::inval;
  Ref<File> file = TRY(file_argument(args.i32(0)));
  if (!abi::may_write(file->flags)) return Errno::inval;
  return as_zero(change_size(file->place(), args.u64(1)));
}

// Nothing is set aside: a RAM file system cannot promise frames. What is promised to programs
// holds: the size.
Result<std::int64_t> sys_fallocate(const Args& args) {
  Ref<File> file = TRY(file_argument(args.i32(0)));
  Inode& inode = file->inode();
  const std::uint32_t mode = args.u32(1), what = mode & ~abi::falloc_keep_size;
  const bool keeps_size = mode & abi::falloc_keep_size;
  std::int64_t offset = args.i64(2), bytes = args.i64(3), end = 0;
  if (offset < 0 || bytes <= 0) return Errno::inval;
  const bool punches = what == abi::falloc_punch_hole && keeps_size;
  if (what != 0 && what != abi::falloc_zero_range && !punches) return Errno::notsup;
  if (!abi::may_write(file->flags)) return Errno::badf;
  if (inode.is(mode_fifo)) return Errno::spipe;
  if (inode.is(mode_directory)) return Errno::isdir;
  if (!inode.is(mode_regular)) return Errno::nodev;
  if (__builtin_add_overflow(offset, bytes, &end)) return Errno::fbig;
  const std::uint64_t begin = args.u64(2), size = inode.stat().size;
  const auto wanted = static_cast<std::uint64_t>(end);
  TRY(take_set_ids(inode, current_caller()));
  if (what && begin < size) {
    TRY(inode.punch(begin, std::min(wanted, size)));
    notice(*file, abi::in_modify);
  }
  if (keeps_size || wanted <= size) return std::int64_t{0};
  return as_zero(change_size(file->place(), wanted));
}

Result<std::int64_t> sys_sendfile(const Args& args) {
  Ref<File> to = TRY(writable_file(args.i32(0)));
  Ref<File> from = TRY(readable_file(args.i32(1)));
  UserAddress offset = args.user(2);
  std::uint64_t at = offset ? TRY(get_user<std::uint64_t>(offset)) : from->position;
  if (static_cast<std::int64_t>(at) < 0) return Errno::inval;
  const std::uint64_t bytes =
      TRY(before_write(to->inode(), write_position(*to), std::min(args.u64(3), max_bytes)));
  auto sent = transfer(*from, at, *to, bytes);
  const std::uint64_t end = at + (sent.ok() ? sent.value() : 0);
  auto result = written(*to, bytes, std::move(sent));
  if (!result.ok()) return result;
  if (offset)
    TRY(put_user(offset, end));
  else
    from->position = end;
  return result;
}

namespace {

/// One side of a copy_file_range: at an offset of the caller's, which is told how far it came, or
/// where the file stands.
Result<std::uint64_t> range_begin(const File& file, UserAddress offset) {
  if (!file.seekable()) return Errno::inval;
  std::uint64_t at = offset ? TRY(get_user<std::uint64_t>(offset)) : file.position;
  return static_cast<std::int64_t>(at) < 0 ? Result<std::uint64_t>(Errno::inval) : at;
}

Result<> check_range_files(File& from, File& to) {
  if (from.inode().is(mode_directory) || to.inode().is(mode_directory)) return Errno::isdir;
  if (!from.inode().is(mode_regular) || !to.inode().is(mode_regular)) return Errno::inval;
  return to.flags & abi::o_append ? Result<>(Errno::badf) : Result<>();
}

}  // namespace

Result<std::int64_t> sys_copy_file_range(const Args& args) {
  Ref<File> from = TRY(readable_file(args.i32(0))), to = TRY(writable_file(args.i32(2)));
  UserAddress from_offset = args.user(1), to_offset = args.user(3);
  if (args.u32(5)) return Errno::inval;
  TRY(check_range_files(*from, *to));
  std::uint64_t source = TRY(range_begin(*from, from_offset));
  std::uint64_t target = TRY(range_begin(*to, to_offset));
  std::uint64_t bytes = TRY(before_write(to->inode(), target, std::min(args.u64(4), max_bytes)));
  bool overlap = source < target + bytes && target < source + bytes;
  if (from->inode_ref() == to->inode_ref() && overlap) return Errno::inval;

  std::uint64_t stood = to->position;
  to->position = target;
  auto sent = transfer(*from, source, *to, bytes);
  if (!sent.ok() || to_offset) to->position = stood;
  if (!sent.ok()) return sent.error();
  if (to_offset) TRY(put_user(to_offset, target + sent.value()));
  if (from_offset)
    TRY(put_user(from_offset, source + sent.value()));
  else
    from->position = source + sent.value();
  return static_cast<std::int64_t>(sent.value());
}

Result<std::int64_t> sys_fsync(const Args& args) {
  Ref<File> file = TRY(file_argument(args.i32(0)));
  const bool stored = file->inode().is(mode_regular) || file->inode().is(mode_directory);
  if (!stored || !file->seekable()) return Errno::inval;
  return as_zero(file->inode().sync());
}
Result<std::int64_t> sys_fdatasync(const Args& args) {
  return sys_fsync(args);
}
Result<std::int64_t> sys_syncfs(const Args& args) {
  TRY(file_argument(args.i32(0)));
  return as_zero(sync_disk());
}
Result<std::int64_t> sys_sync(const Args&) {
  (void)sync_disk();
  return std::int64_t{0};
}

Result<std::int64_t> sys_fadvise64(const Args& args) {
  Ref<File> file = TRY(file_argument(args.i32(0)));
  if (file->inode().is(mode_fifo)) return Errno::spipe;
  if (args.u32(3) > 5) return Errno::inval;
  return std::int64_t{0};
}

Result<std::int64_t> sys_getrandom(const Args& args) {
  constexpr std::uint32_t known_flags = 7;  // GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE
  if (args.u32(2) & ~known_flags) return Errno::inval;
  return as_count(random_to_user(args.user(0), TRY(buffer_bytes(args.user(0), args.u64(1)))));
}

}  // namespace guest
