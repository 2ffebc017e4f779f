// splice and tee: see the header. Called in the system call of whoever moves the bytes; only the
// first wait and the write to something that is no pipe can sleep.
#include "guest/fs/pipe/splice.h"

#include <algorithm>

#include "guest/sched/pausing.h"
#include "guest/vfs/notice.h"
#include "guest/vfs/transfer.h"

namespace guest {

Result<std::size_t> splice_from_pipe(Pipe& from, File& to, const std::uint64_t* at,
                                     std::size_t bytes, bool nonblocking) {
  if (!TRY(from.wait_for_bytes(nonblocking))) return std::size_t{0};
  const TransferBuffer buffer;
  if (!buffer.get()) return Errno::nomem;
  const Pipe::Taking taking(from);
  const std::size_t wanted = std::min<std::size_t>(bytes, from.used());
  return in_parts_with_pauses(wanted, [&](std::size_t done) -> Result<std::size_t> {
    const std::size_t part =
        from.peek(0, buffer.get(), std::min(wanted - done, TransferBuffer::bytes));
    const Source source(buffer.get());
    const std::size_t arrived =
        TRY(at ? to.write_at(*at + done, source, part) : to.write(source, part));
    from.drop(static_cast<std::uint32_t>(arrived));
    return arrived;
  });
}

Result<std::size_t> splice_to_pipe(File& from, std::uint64_t at, Pipe& to, std::size_t bytes,
                                   bool nonblocking) {
  if (!from.inode().is(mode_regular)) return Errno::inval;
  TRY(to.wait_for_room(nonblocking));
  const TransferBuffer buffer;
  if (!buffer.get()) return Errno::nomem;
  from.note_access();
  return in_parts(bytes, [&](std::size_t done) -> Result<std::size_t> {
    const std::size_t wanted =
        std::min({bytes - done, TransferBuffer::bytes, std::size_t{to.space()}});
    const std::size_t part = TRY(from.inode().peek(at + done, buffer.get(), wanted));
    if (part) notice(from, abi::in_access);
    return to.write(Source(buffer.get()), part, true);
  });
}

Result<std::size_t> splice_between(Pipe& from, Pipe& to, std::size_t bytes, bool nonblocking,
                                   bool keep) {
  do {  // each wait is one in which the other pipe may change again
    if (!TRY(from.wait_for_bytes(nonblocking))) return std::size_t{0};
    TRY(to.wait_for_room(nonblocking));
  } while (from.used() == 0 || from.is_taken());
  const TransferBuffer buffer;
  if (!buffer.get()) return Errno::nomem;
  const Pipe::Taking taking(from);
  const std::size_t wanted = std::min<std::size_t>(bytes, from.used());
  return in_parts(wanted, [&](std::size_t done) -> Result<std::size_t> {
    const std::size_t room =
        std::min({wanted - done, TransferBuffer::bytes, std::size_t{to.space()}});
    const std::uint32_t skip = keep ? static_cast<std::uint32_t>(done) : 0;
    const std::size_t part = from.peek(skip, buffer.get(), room);
    const std::size_t arrived = TRY(to.write(Source(buffer.get()), part, true));
    if (!keep) from.drop(static_cast<std::uint32_t>(arrived));
    return arrived;
  });
}

}  // namespace guest
