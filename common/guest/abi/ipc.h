// System V interprocess communication: the structures and numbers of shmctl, semctl and msgctl.
#pragma once

#include <cstdint>

namespace guest::abi {

enum : int { ipc_private = 0 };
enum : std::uint32_t {
  ipc_creat = 01000,
  ipc_excl = 02000,
  ipc_nowait = 04000,
};
/// Commands that all three have; the others' numbers differ from one to the next.
enum : std::uint32_t { ipc_rmid = 0, ipc_set = 1, ipc_stat = 2, ipc_info = 3 };

struct IpcPermissions {
  std::int32_t key;
  std::uint32_t uid, gid, creator_uid, creator_gid, mode;
  std::uint16_t sequence, padding[3];
  std::uint64_t unused[2];
};

// -- Shared memory

enum : std::uint32_t {
  shm_rdonly = 010000,
  shm_rnd = 020000,
  shm_remap = 040000,
  shm_exec = 0100000,
  shm_hugetlb = 04000,
};
enum : std::uint32_t { shm_lock = 11, shm_unlock, shm_stat, shm_info, shm_stat_any };
/// In the mode that IPC_STAT tells: removed but still attached, and locked.
enum : std::uint32_t { shm_dest = 01000, shm_locked = 02000 };

struct ShmStatus {
  IpcPermissions permissions;
  std::uint64_t bytes;
  std::int64_t attach_time, detach_time, change_time;
  std::int32_t creator, last;
  std::uint64_t attached;
  std::uint64_t unused[2];
};
struct ShmLimits {
  std::uint64_t most_bytes, least_bytes, most_segments, most_of_process, most_pages;
  std::uint64_t unused[4];
};
struct ShmUse {
  std::int32_t segments, padding;
  std::uint64_t pages, resident, swapped, swap_attempts, swap_successes;
};

// -- Semaphores

enum : std::uint32_t {
  sem_getpid = 11,
  sem_getval,
  sem_getall,
  sem_getncnt,
  sem_getzcnt,
  sem_setval,
  sem_setall,
  sem_stat,
  sem_info,
  sem_stat_any,
};
inline constexpr std::uint16_t sem_undo = 0x1000;

struct SemaphoreOperation {
  std::uint16_t number;
  std::int16_t change;
  std::uint16_t flags;
};
struct SemStatus {
  IpcPermissions permissions;
  std::int64_t operation_time;
  std::uint64_t unused1;
  std::int64_t change_time;
  std::uint64_t unused2, count, unused3[2];
};
struct SemLimits {
  std::int32_t map, sets, semaphores, undos, in_set, in_call, undos_of_process, used, value, adjust;
};

// -- Messages

enum : std::uint32_t { msg_stat = 11, msg_info, msg_stat_any };
enum : std::uint32_t { msg_noerror = 010000, msg_except = 020000, msg_copy = 040000 };

struct MsgStatus {
  IpcPermissions permissions;
  std::int64_t send_time, receive_time, change_time;
  std::uint64_t bytes, messages, most_bytes;
  std::int32_t last_sender, last_receiver;
  std::uint64_t unused[2];
};
struct MsgLimits {
  std::int32_t pool, map, most_in_message, most_in_queue, queues, segment_size, messages;
  std::uint16_t segments, padding;
};

static_assert(sizeof(IpcPermissions) == 48 && sizeof(ShmStatus) == 112 && sizeof(SemStatus) == 104 &&
              sizeof(MsgStatus) == 120 && sizeof(ShmLimits) == 72 && sizeof(ShmUse) == 48);

}  // namespace guest::abi
