// splice and tee: bytes between a pipe and something else that never are in user memory. Linux
// moves pages; here they pass through a buffer of the kernel's, and what programs see is the same.
#pragma once

#include "guest/fs/pipe/pipe.h"

namespace guest {

/// From a pipe to where `to` stands, or to offset `at` of it. Waits for the first byte only.
Result<std::size_t> splice_from_pipe(Pipe& from, File& to, const std::uint64_t* at,
                                     std::size_t bytes, bool nonblocking);
/// From offset `at` of a regular file, as much as there is room for. EINVAL: `from` is none.
Result<std::size_t> splice_to_pipe(File& from, std::uint64_t at, Pipe& to, std::size_t bytes,
                                   bool nonblocking);
/// From one pipe to another, as much as can be without waiting again. With `keep` it stays in
/// `from` as well (tee).
Result<std::size_t> splice_between(Pipe& from, Pipe& to, std::size_t bytes, bool nonblocking,
                                   bool keep);

}  // namespace guest
