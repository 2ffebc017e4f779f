// See fake_host.h.
#include "tests/unit/resident/fake_host.h"

#include <asm/unistd_64.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>

#include "monitor/guest/process_fd.h"
#include "monitor/machine/syscall_names.h"
#include "vmi/address_map.h"

namespace fake {
namespace {

std::size_t mix(std::size_t sum, std::size_t value) {
  return sum * 31 + value;
}

template <class T>
std::size_t hash_of(const T& bytes) {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// What the caller's pointer means: window addresses are guest memory.
std::uint8_t* at(std::uint64_t address) {
  if (address >= vmi::window_base && address < vmi::window_end)
    return host().memory.data() + (address - vmi::window_base);
  return reinterpret_cast<std::uint8_t*>(address);
}

std::vector<std::uint8_t>& file_of(std::uint64_t fd) {
  return fd == monitor::guest_block_fd ? host().disk : host().memory;
}

/// Where it is in the vector: RAM lies right behind the window there.
std::uint64_t offset_in(std::uint64_t fd, std::uint64_t offset) {
  return fd == monitor::guest_block_fd || offset < vmi::ram_offset
             ? offset
             : offset - vmi::ram_offset + vmi::window_size;
}

/// Bytes of a file from `offset` on, as many as there are.
std::uint64_t left_in(const std::vector<std::uint8_t>& file, std::uint64_t offset,
                      std::uint64_t bytes) {
  return offset >= file.size() ? 0 : std::min(bytes, file.size() - offset);
}

std::int64_t read_file(std::uint64_t fd, std::uint64_t to, std::uint64_t bytes,
                       std::uint64_t offset) {
  offset = offset_in(fd, offset);
  bytes = left_in(file_of(fd), offset, bytes);
  std::memcpy(at(to), file_of(fd).data() + offset, bytes);
  return static_cast<std::int64_t>(bytes);
}

std::int64_t write_file(std::uint64_t fd, std::uint64_t from, std::uint64_t bytes,
                        std::uint64_t offset) {
  offset = offset_in(fd, offset);
  bytes = left_in(file_of(fd), offset, bytes);
  std::memcpy(file_of(fd).data() + offset, at(from), bytes);
  return static_cast<std::int64_t>(bytes);
}

std::int64_t write_vectors(std::uint64_t fd, const iovec* vectors, std::uint64_t count,
                           std::uint64_t offset, bool half) {
  std::uint64_t left = 0, done = 0;
  for (std::uint64_t i = 0; i < count; ++i) left += vectors[i].iov_len;
  if (half) left /= 2;
  for (std::uint64_t i = 0; left != 0; ++i) {
    const std::uint64_t now = std::min<std::uint64_t>(left, vectors[i].iov_len);
    write_file(fd, reinterpret_cast<std::uint64_t>(vectors[i].iov_base), now, offset + done);
    done += now;
    left -= now;
  }
  return static_cast<std::int64_t>(done);
}

void for_pages(std::uint64_t va, std::uint64_t bytes,
               const std::function<void(std::uint64_t, std::uint64_t)>& each) {
  for (std::uint64_t done = 0; done < bytes; done += vmi::page_size) each(va + done, done);
}

std::int64_t send_file(std::uint64_t to, std::uint64_t from, std::uint64_t* offset,
                       std::uint64_t bytes) {
  auto& position = to == monitor::guest_block_fd ? host().disk_position : host().memory_position;
  const std::uint64_t begin = offset_in(from, *offset);
  bytes = left_in(file_of(from), begin, bytes);
  const std::int64_t sent = write_file(
      to, reinterpret_cast<std::uint64_t>(file_of(from).data() + begin), bytes, position);
  *offset += static_cast<std::uint64_t>(sent);
  position += static_cast<std::uint64_t>(sent);
  return sent;
}

}  // namespace

Host::Host() : memory(memory_bytes), disk(disk_bytes) {
  for (auto* file : {&memory, &disk})
    for (std::size_t at = 0; at < file->size(); at += vmi::page_size)
      std::memset(file->data() + at, static_cast<int>(at / vmi::page_size % 251 + 1),
                  vmi::page_size);
}

std::size_t Host::state() const {
  std::size_t sum = mix(mix(hash_of(memory), hash_of(disk)), hash_of(output));
  for (const auto& [va, mapping] : mapped)
    sum = mix(mix(mix(sum, va), mapping.offset), mapping.protection);
  return mix(sum, input.size());
}

Host& host() {
  static Host the_host;
  return the_host;
}

}  // namespace fake

extern "C" std::int64_t host_call(std::uint64_t number, std::uint64_t a0, std::uint64_t a1,
                                  std::uint64_t a2, std::uint64_t a3, std::uint64_t,
                                  std::uint64_t a5) {
  using namespace fake;
  Host& h = host();
  const bool faulty = h.calls++ == h.fault.at;
  if (faulty) h.faulted = monitor::syscall_name(static_cast<std::uint32_t>(number));
  if (faulty && h.fault.result < 0) return h.fault.result;
  const bool half = faulty && h.fault.result == 0;
  const auto bytes_of = [half](std::uint64_t bytes) { return half ? bytes / 2 : bytes; };
  switch (number) {
    case __NR_pread64:
      return read_file(a0, a1, bytes_of(a2), a3);
    case __NR_pwrite64:
      return write_file(a0, a1, bytes_of(a2), a3);
    case __NR_pwritev:
      return write_vectors(a0, reinterpret_cast<const iovec*>(a1), a2, a3, half);
    case __NR_lseek:
      (a0 == monitor::guest_block_fd ? h.disk_position : h.memory_position) = a1;
      return static_cast<std::int64_t>(a1);
    case __NR_sendfile:
      return send_file(a0, a1, reinterpret_cast<std::uint64_t*>(a2), bytes_of(a3));
    case __NR_mmap:
      for_pages(a0, a1, [&](auto va, auto done) { h.mapped[va] = {a5 + done, a2}; });
      return static_cast<std::int64_t>(a0);
    case __NR_munmap:
      h.mapped.erase(h.mapped.lower_bound(a0), h.mapped.lower_bound(a0 + a1));
      return 0;
    case __NR_mprotect:
      for_pages(a0, a1, [&](auto va, auto) { h.mapped[va].protection = a2; });
      return 0;
    case __NR_write:
      h.output.append(reinterpret_cast<const char*>(a1), bytes_of(a2));
      return static_cast<std::int64_t>(bytes_of(a2));
    case __NR_read: {
      const std::uint64_t bytes = std::min<std::uint64_t>(bytes_of(a2), h.input.size());
      std::memcpy(at(a1), h.input.data(), bytes);
      h.input.erase(0, bytes);
      return static_cast<std::int64_t>(bytes);
    }
    case __NR_getrandom:
      std::memset(at(a0), 0x5a, bytes_of(a1));
      return static_cast<std::int64_t>(bytes_of(a1));
    case __NR_clock_gettime:
      *reinterpret_cast<timespec*>(a1) = {7, 9};
      return 0;
    case __NR_ppoll:
      return a1 != 0;
    case __NR_clone:
      return 1234;
    case __NR_exit_group:
      throw Left();
    default:
      return 0;
  }
}
