// /proc/PID/cmdline and environ: not texts of the kernel's but a piece of the process's memory, as
// it stands there now.
#include "guest/fs/proc/process.h"
#include "guest/mm/address_space.h"

namespace guest {

Result<std::size_t> read_process_memory(Thread& thread, MemoryRange range, std::uint64_t at,
                                        UserAddress to, std::size_t bytes) {
  if (!thread.process.space || at >= range.bytes()) return std::size_t{0};
  if (bytes > range.bytes() - at) bytes = range.bytes() - at;
  // The space is kept: moving bytes may sleep.
  const Ref<AddressSpace> space(thread.process.space.get());
  char part[256];
  std::size_t done = 0;
  while (done < bytes) {
    const std::size_t wanted = bytes - done < sizeof part ? bytes - done : sizeof part;
    const std::size_t there = space->peek(range.begin + at + done, part, wanted);
    if (there == 0) break;
    auto moved = move_to_user(to + done, part, there);
    if (!moved.ok()) return done ? Result<std::size_t>(done) : moved.error();
    done += moved.value();
    if (moved.value() < wanted) break;
  }
  return done;
}

MemoryRange argument_range(Thread& thread) {
  return thread.process.space ? thread.process.space->program_strings.arguments : MemoryRange{};
}
MemoryRange environment_range(Thread& thread) {
  return thread.process.space ? thread.process.space->program_strings.environment : MemoryRange{};
}

}  // namespace guest
