// What the calls that move file contents have in common: see the header.
#include "guest/syscall/contents.h"

#include "guest/net/socket.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"

namespace guest {

Result<std::size_t> buffer_bytes(UserAddress buffer, std::uint64_t bytes) {
  if (bytes > vmi::user_end || buffer.value > vmi::user_end - bytes) return Errno::fault;
  return bytes < max_bytes ? bytes : max_bytes;
}

Result<std::int64_t> written(File& file, std::uint64_t bytes, Result<std::size_t> result) {
  if (file_as<Socket>(file)) return as_count(std::move(result));
  const bool broken =
      result.ok() ? result.value() && result.value() < bytes && file.poll_state() & abi::poll_err
                  : result.error() == Errno::pipe;
  if (broken) send_signal(current_process(), sig_pipe);
  return as_count(std::move(result));
}

Result<std::size_t> before_write(Inode& inode, std::uint64_t at, std::size_t bytes) {
  constexpr std::uint32_t set_ids = 06000;
  if (bytes == 0) return bytes;
  if (inode.mode() & set_ids) TRY(take_set_ids(inode, current_caller()));
  const std::uint64_t limit = current_process().limits[abi::limit_fsize].current;
  if (limit == abi::unlimited || !inode.is(mode_regular)) return bytes;
  if (at < limit) return std::min(bytes, limit - at);
  (void)send_signal(current_thread(), signal_from_process(sig_xfsz, abi::si_user));
  return Errno::fbig;
}

std::uint64_t write_position(File& file) {
  return file.flags & abi::o_append ? file.inode().stat().size : file.position;
}

Result<abi::IoVector> vector_part(UserAddress vector, std::uint64_t i, std::size_t room) {
  auto part = TRY(get_user<abi::IoVector>(vector + i * sizeof(abi::IoVector)));
  if (static_cast<std::int64_t>(part.bytes) < 0) return Errno::inval;
  if (part.bytes > room) part.bytes = room;
  return part;
}

Result<std::size_t> check_vector(UserAddress vector, std::uint64_t parts) {
  if (parts > abi::iov_max) return Errno::inval;
  std::size_t bytes = 0;
  for (std::uint64_t i = 0; i < parts; ++i) {
    auto part = TRY(vector_part(vector, i, max_bytes));
    TRY(buffer_bytes(UserAddress{part.base}, part.bytes));
    bytes += part.bytes;
  }
  return std::min(bytes, max_bytes);
}

}  // namespace guest
