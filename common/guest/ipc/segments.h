// Shared memory of System V: segments that programs find by a key and attach. A segment lasts until
// it is removed and the last mapping of it is gone.
#pragma once

#include "guest/ipc/object.h"
#include "guest/mm/address_space.h"
#include "guest/mm/shared_memory.h"

namespace guest {

class Segment final : public SharedMemory {
 public:
  Segment(const IpcOwner& owner, std::uint64_t bytes, int creator)
      : SharedMemory(page_up(bytes)),
        owner(owner),
        bytes(bytes),
        creator(creator),
        changed(ipc_now()) {}
  ~Segment() override;

  IpcOwner owner;
  int number = 0;
  bool removed = false, locked = false;
  const std::uint64_t bytes;                         // as asked for; whole pages are attached
  const int creator;                                 // pids
  int last = 0;                                      // attached or detached it
  std::int64_t attached = 0, detached = 0, changed;  // when

  [[nodiscard]] abi::ShmStatus status();
};

using Segments = IpcTable<Segment, 256>;
extern Segments segments;

/// shmget. EINVAL, ENOMEM and what IpcTable::get says.
Result<int> get_segment(int key, std::uint64_t bytes, std::uint32_t flags);
/// shmat. EINVAL, EACCES, ENOMEM.
Result<std::uint64_t> attach_segment(int number, std::uint64_t at, std::uint32_t flags);
/// shmdt. EINVAL: none is attached at `at`.
Result<> detach_segment(std::uint64_t at);
/// IPC_RMID: it goes when nobody has it attached any more.
void remove_segment(Segment& segment);

}  // namespace guest
