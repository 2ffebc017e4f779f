// What the calls that move file contents have in common: lengths, vectors, limits, and what a write
// returns. Used by file_calls.cpp and splice_calls.cpp.
#pragma once

#include <algorithm>

#include "guest/abi/file_structs.h"
#include "guest/base/progress.h"
#include "guest/syscall/args.h"
#include "guest/vfs/inode.h"

namespace guest {

constexpr std::uint64_t max_bytes = 0x7ffff000;  // as Linux: no call moves more

/// A buffer that does not end in the user range is refused before the file is looked at, whatever
/// the file could give (EFAULT); then its length is cut to what one call moves.
Result<std::size_t> buffer_bytes(UserAddress buffer, std::uint64_t bytes);

/// The result of a write of `bytes`. The one place where writing to nobody raises SIGPIPE, also
/// when somebody read the first bytes and has gone. Sockets raise their own, which of them do.
Result<std::int64_t> written(File& file, std::uint64_t bytes, Result<std::size_t> result);

/// Before a write to a file: how many of `bytes` it may hold from `at` on. EFBIG, and SIGXFSZ:
/// none, the process has a limit. It loses its set-id bits.
Result<std::size_t> before_write(Inode& inode, std::uint64_t at, std::size_t bytes);

/// Where a write without an offset begins.
std::uint64_t write_position(File& file);

/// Part `i` of a vector, cut to `room` bytes.
Result<abi::IoVector> vector_part(UserAddress vector, std::uint64_t i, std::size_t room);

/// All parts are checked before the first is moved, as Linux does. How many bytes they are.
Result<std::size_t> check_vector(UserAddress vector, std::uint64_t parts);

/// Calls `move(address, bytes, done)` for each part of a vector, until one falls short.
template <class Move>
Result<std::size_t> for_each_part(UserAddress vector, std::uint64_t parts, Move move) {
  TRY(check_vector(vector, parts));
  std::size_t done = 0;
  bool whole = true;
  auto one = [&](std::uint64_t i) -> Result<> {
    auto part = TRY(vector_part(vector, i, max_bytes - done));
    if (part.bytes == 0) return {};
    const std::size_t count = TRY(move(UserAddress{part.base}, part.bytes, done));
    done += count;
    whole = count == part.bytes;
    return {};
  };
  for (std::uint64_t i = 0; i < parts && whole; ++i) {
    auto outcome = one(i);
    if (!outcome.ok()) return moved(outcome, done);
  }
  return done;
}

}  // namespace guest
