// See control.h. Runs in sendmsg and recvmsg of the current process.
#include "guest/net/control.h"

#include <algorithm>

#include "guest/abi/file_flags.h"
#include "guest/proc/process.h"
#include "guest/vfs/file_table.h"

namespace guest {
namespace {

constexpr std::uint64_t header_bytes = sizeof(abi::ControlHeader);
constexpr std::uint64_t most_bytes = 128 * 1024;  // Linux's optmem_max

}  // namespace

abi::PeerCredentials own_credentials() {
  const Credentials& own = current_thread().credentials;
  return {current_process().pid, own.euid, own.egid};
}

// -- Sent.

Result<> Control::take_files(const std::uint8_t* data, std::size_t bytes) {
  const std::size_t count = bytes / sizeof(std::int32_t);
  if (count == 0) return {};
  if (count + (rights ? rights->files.size() : 0) > abi::scm_max_files) return Errno::inval;
  if (!rights) rights = TRY(make_ref<Rights>());
  TRY(rights->files.reserve(rights->files.size() + count));
  for (std::size_t i = 0; i < count; ++i) {
    std::int32_t fd;
    __builtin_memcpy(&fd, data + i * sizeof fd, sizeof fd);
    TRY(rights->files.push(TRY(current_process().files->get(fd))));
  }
  return {};
}

// Only root may say that it is somebody else.
Result<> Control::take_credentials(const std::uint8_t* data, std::size_t bytes) {
  if (bytes != sizeof sender) return Errno::inval;
  abi::PeerCredentials said;
  __builtin_memcpy(&said, data, sizeof said);
  const Credentials& own = current_thread().credentials;
  const bool pid_ok = said.pid == current_process().pid;
  const bool uid_ok = said.uid == own.uid || said.uid == own.euid || said.uid == own.suid;
  const bool gid_ok = said.gid == own.gid || said.gid == own.egid || said.gid == own.sgid;
  if (own.euid != 0 && !(pid_ok && uid_ok && gid_ok)) return Errno::perm;
  if (said.uid == UINT32_MAX || said.gid == UINT32_MAX) return Errno::inval;
  if (!pid_ok && !processes.find(said.pid)) return Errno::srch;
  sender = said;
  has_sender = true;
  return {};
}

Result<> Control::take_one(const abi::ControlHeader& header, const std::uint8_t* data, int family) {
  if (header.level != abi::sol_socket) return {};
  const std::size_t bytes = header.bytes - header_bytes;
  switch (header.type) {
    case abi::scm_rights:
      return family == abi::af_unix ? take_files(data, bytes) : Result<>();
    case abi::scm_credentials:
      return family == abi::af_unix ? take_credentials(data, bytes) : Result<>();
    default:
      return Errno::inval;
  }
}

Result<> Control::take(UserAddress from, std::uint64_t bytes, int family) {
  if (bytes > most_bytes) return Errno::nobufs;
  if (bytes == 0) return {};
  Vec<std::uint8_t> buffer(HeapKind::file);
  if (!buffer.reserve(bytes).ok()) return Errno::nobufs;
  std::uint8_t* const data = buffer.begin();
  TRY(copy_from_user(data, from, bytes));
  for (std::uint64_t at = 0; at + header_bytes <= bytes;) {
    abi::ControlHeader header;
    __builtin_memcpy(&header, data + at, header_bytes);
    if (header.bytes < header_bytes || header.bytes > bytes - at) return Errno::inval;
    TRY(take_one(header, data + at + header_bytes, family));
    at += abi::control_align(header.bytes);
  }
  if (rights) {
    const std::uint64_t limit = current_process().limits[abi::limit_nofile].current;
    TRY(in_flight.check(rights->files.size(), limit, current_thread().credentials.euid == 0));
  }
  return {};
}

// -- Received.

void ControlBuffer::advance(std::uint64_t used) {
  used = std::min(used, bytes);
  at = at + used;
  bytes -= used;
}

Result<> ControlBuffer::put_header(std::uint64_t length, int level, int type) {
  const abi::ControlHeader header = {length, level, type};
  return put_user(at, header);
}

Result<> ControlBuffer::put(int level, int type, const void* data, std::size_t data_bytes) {
  if (!at || bytes < header_bytes) {
    flags |= abi::msg_ctrunc;
    return {};
  }
  std::uint64_t length = header_bytes + data_bytes;
  if (bytes < length) {
    flags |= abi::msg_ctrunc;
    length = bytes;
  }
  TRY(put_header(length, level, type));
  TRY(copy_to_user(at + header_bytes, data, length - header_bytes));
  advance(abi::control_align(header_bytes + data_bytes));
  return {};
}

Result<> ControlBuffer::put_files(const Rights& rights) {
  Process& self = current_process();
  const std::size_t count = rights.files.size();
  const std::size_t room =
      at && bytes > header_bytes ? (bytes - header_bytes) / sizeof(std::int32_t) : 0;
  std::size_t given = 0;
  for (; given < std::min(count, room); ++given) {
    auto fd = self.files->install(rights.files[given], self.open_limit(), close_on_exec);
    if (!fd.ok()) break;
    const auto number = static_cast<std::int32_t>(fd.value());
    if (put_user(at + (header_bytes + given * sizeof number), number).ok()) continue;
    TRY(self.files->close(number));
    break;
  }
  if (given < count) flags |= abi::msg_ctrunc;
  if (given == 0) return {};
  const std::uint64_t length = header_bytes + given * sizeof(std::int32_t);
  TRY(put_header(length, abi::sol_socket, abi::scm_rights));
  advance(abi::control_align(length));
  return {};
}

}  // namespace guest
