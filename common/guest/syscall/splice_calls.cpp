// splice, tee and vmsplice: arguments are taken apart here; fs/pipe/splice.h moves the bytes.
#include <optional>

#include "guest/abi/file_flags.h"
#include "guest/fs/pipe/splice.h"
#include "guest/proc/process.h"
#include "guest/syscall/contents.h"
#include "guest/syscall/path_arguments.h"

namespace guest {
namespace {

// SPLICE_F_MOVE, MORE and GIFT are hints.
constexpr std::uint32_t all_flags = 0xf, nonblock_flag = 2;

Pipe* pipe_of(File& file) {
  auto* end = file_as<PipeFile>(file);
  return end ? end->pipe().get() : nullptr;
}

/// An offset that the caller gives; nothing: where the file stands.
using Offset = std::optional<std::uint64_t>;

Result<Offset> offset_argument(UserAddress from, const File& file) {
  if (!from) return Offset();
  const auto at = TRY(get_user<std::uint64_t>(from));
  if (!file.seekable()) return Errno::inval;
  if (static_cast<std::int64_t>(at) < 0) return Errno::inval;
  return Offset(at);
}

Result<std::int64_t> out_of_pipe(Pipe& from, File& to, const Offset& at, std::size_t bytes,
                                 bool nonblocking) {
  if (to.flags & abi::o_append) return Errno::inval;
  const std::uint64_t begin = at.value_or(to.position);
  const std::size_t allowed = TRY(before_write(to.inode(), begin, bytes));
  // What is no regular file has no offsets.
  const bool placed = at && to.inode().is(mode_regular);
  return written(to, allowed,
                 splice_from_pipe(from, to, placed ? &begin : nullptr, allowed, nonblocking));
}

Result<std::int64_t> into_pipe(File& from, const Offset& at, File& to, Pipe& pipe,
                               std::size_t bytes, bool nonblocking) {
  auto result = splice_to_pipe(from, at.value_or(from.position), pipe, bytes, nonblocking);
  if (result.ok() && !at) from.position += result.value();
  return written(to, 0, std::move(result));
}

bool is_nonblocking(const File& file, std::uint32_t flags) {
  return flags & nonblock_flag || file.flags & abi::o_nonblock;
}

Result<std::int64_t> between_pipes(File& from, File& to, std::size_t bytes, std::uint32_t flags,
                                   bool keep) {
  Pipe *source = pipe_of(from), *target = pipe_of(to);
  if (!source || !target || source == target) return Errno::inval;
  const bool nonblocking = is_nonblocking(from, flags) || is_nonblocking(to, flags);
  return written(to, 0, splice_between(*source, *target, bytes, nonblocking, keep));
}

Result<> check_ends(const File& from, const File& to) {
  return abi::may_read(from.flags) && abi::may_write(to.flags) ? Result<>() : Errno::badf;
}

}  // namespace

Result<std::int64_t> sys_splice(const Args& args) {
  const std::size_t bytes = std::min(args.u64(4), max_bytes);
  const std::uint32_t flags = args.u32(5);
  const UserAddress from_offset = args.user(1), to_offset = args.user(3);
  if (bytes == 0) return 0;
  if (flags & ~all_flags) return Errno::inval;
  const Ref<File> from = TRY(file_argument(args.i32(0))), to = TRY(file_argument(args.i32(2)));
  Pipe *source = pipe_of(*from), *target = pipe_of(*to);
  if ((source && from_offset) || (target && to_offset)) return Errno::spipe;
  const Offset to_at = TRY(offset_argument(to_offset, *to));
  const Offset from_at = TRY(offset_argument(from_offset, *from));
  TRY(check_ends(*from, *to));
  if (source && target) return between_pipes(*from, *to, bytes, flags, false);
  if (!source && !target) return Errno::inval;
  const std::int64_t moved =
      source ? TRY(out_of_pipe(*source, *to, to_at, bytes, is_nonblocking(*from, flags)))
             : TRY(into_pipe(*from, from_at, *to, *target, bytes, is_nonblocking(*to, flags)));
  const auto tell = [&](UserAddress where, const Offset& at) -> Result<> {
    return at ? put_user(where, *at + static_cast<std::uint64_t>(moved)) : Result<>();
  };
  TRY(tell(to_offset, to_at));
  TRY(tell(from_offset, from_at));
  return moved;
}

Result<std::int64_t> sys_tee(const Args& args) {
  const std::size_t bytes = std::min(args.u64(2), max_bytes);
  if (args.u32(3) & ~all_flags) return Errno::inval;
  if (bytes == 0) return 0;
  const Ref<File> from = TRY(file_argument(args.i32(0))), to = TRY(file_argument(args.i32(1)));
  TRY(check_ends(*from, *to));
  return between_pipes(*from, *to, bytes, args.u32(3), true);
}

// Into a pipe, as much as there is room for, or out of one, as readv: by which end it is.
Result<std::int64_t> sys_vmsplice(const Args& args) {
  const std::uint32_t flags = args.u32(3);
  if (flags & ~all_flags) return Errno::inval;
  const Ref<File> file = TRY(file_argument(args.i32(0)));
  const bool writes = abi::may_write(file->flags);
  if (TRY(check_vector(args.user(1), args.u64(2))) == 0) return 0;
  Pipe* pipe = pipe_of(*file);
  if (!pipe) return Errno::badf;
  const bool nonblocking = flags & nonblock_flag;
  if (!writes)
    return as_count(for_each_part(args.user(1), args.u64(2),
                                  [&](UserAddress to, std::size_t bytes, std::size_t done) {
                                    return pipe->read(to, bytes, nonblocking || done > 0);
                                  }));
  if (auto room = pipe->wait_for_room(nonblocking); !room.ok())
    return written(*file, 0, room.error());
  return written(*file, 0,
                 for_each_part(args.user(1), args.u64(2),
                               [&](UserAddress from, std::size_t bytes, std::size_t) {
                                 const std::size_t fits =
                                     std::min<std::size_t>(bytes, pipe->space());
                                 return pipe->write(from, fits, true);
                               }));
}

}  // namespace guest
