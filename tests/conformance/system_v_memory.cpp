// Conformance, shared memory of System V: between processes that share nothing else. What is made
// is removed, as it would outlive the test.
#include <sys/mman.h>

#include "segments.h"

namespace {

void* volatile const nowhere = reinterpret_cast<void*>(8);

}  // namespace

TEST(a_segment_is_shared) {
  Segment s(10000);
  char* mine = s.attach();
  CHECK_EQ(mine[0], 0);
  CHECK_EQ(mine[10000], 0);
  CHECK_EXITED(check::in_child([&] {
                 char* theirs = s.attach();
                 CHECK(theirs != mine);  // inherited it is, and attached once more
                 theirs[5000] = 'x';
                 mine[5001] = 'y';
                 CHECK_EQ(s.status().shm_nattch, 3);
                 return 0;
               }),
               0);
  CHECK(mine[5000] == 'x' && mine[5001] == 'y');
  CHECK_EQ(s.status().shm_nattch, 1);
  CHECK_EQ(shmdt(mine), 0);
  CHECK_EQ(s.status().shm_nattch, 0);
  CHECK_EQ(s.attach()[5000], 'x');  // it outlives its users
}

TEST(status_of_a_segment) {
  const time_t before = time(nullptr);
  Segment s(10000, 0640);
  shmid_ds status = s.status();
  CHECK_EQ(status.shm_segsz, 10000);
  CHECK_EQ(status.shm_perm.mode, 0640);
  CHECK(status.shm_cpid == getpid() && status.shm_lpid == 0 && status.shm_atime == 0);
  CHECK(status.shm_ctime >= before && status.shm_perm.uid == getuid());
  shmdt(s.attach());
  status = s.status();
  CHECK(status.shm_lpid == getpid() && status.shm_atime >= before && status.shm_dtime >= before);
  status.shm_perm.mode = 0777 | 07000;
  status.shm_perm.uid = 1000;
  CHECK_EQ(shmctl(s.id, IPC_SET, &status), 0);
  CHECK_EQ(s.status().shm_perm.mode, 0777);
  CHECK_EQ(s.status().shm_perm.uid, 1000);
  CHECK_EQ(shmctl(s.id, SHM_LOCK, nullptr), 0);
  CHECK(s.status().shm_perm.mode & SHM_LOCKED);
  CHECK_EQ(shmctl(s.id, SHM_UNLOCK, nullptr), 0);
  CHECK(!(s.status().shm_perm.mode & SHM_LOCKED));
}

TEST(a_removed_segment_lives_as_long_as_it_is_attached) {
  const key_t key = 0x54500001 + getpid();
  const int id = shmget(key, 4096, IPC_CREAT | 0600);
  REQUIRE(id >= 0);
  auto* mine = static_cast<char*>(shmat(id, nullptr, 0));
  mine[0] = 'x';
  CHECK_EQ(shmctl(id, IPC_RMID, nullptr), 0);
  shmid_ds status;
  CHECK_EQ(shmctl(id, IPC_STAT, &status), 0);
  CHECK(status.shm_perm.mode & SHM_DEST);
  CHECK_ERRNO(shmget(key, 4096, 0600), ENOENT);
  auto* again = static_cast<char*>(shmat(id, nullptr, 0));  // by number it is still there
  CHECK_EQ(again[0], 'x');
  CHECK_EQ(shmdt(mine), 0);
  CHECK_EQ(shmdt(again), 0);
  CHECK_ERRNO(shmctl(id, IPC_STAT, &status), EINVAL);
  CHECK(shmat(id, nullptr, 0) == reinterpret_cast<void*>(-1) && errno == EINVAL);
}

TEST(keys) {
  const key_t key = 0x54500002 + getpid();
  CHECK_ERRNO(shmget(key, 4096, 0600), ENOENT);
  const int id = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
  CHECK(id >= 0);
  CHECK_EQ(shmget(key, 4096, 0600), id);
  CHECK_EQ(shmget(key, 0, 0), id);
  CHECK_EQ(shmget(key, 100, IPC_CREAT | 0600), id);
  CHECK_ERRNO(shmget(key, 4097, 0600), EINVAL);
  CHECK_ERRNO(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
  CHECK_EXITED(check::in_child([&] {
                 REQUIRE(setgid(1000) == 0 && setuid(1000) == 0);
                 CHECK_ERRNO(shmget(key, 4096, 0400), EACCES);
                 CHECK_EQ(shmget(key, 4096, 0), id);
                 CHECK(shmat(id, nullptr, SHM_RDONLY) == reinterpret_cast<void*>(-1));
                 CHECK_EQ(errno, EACCES);
                 shmid_ds status;
                 CHECK_ERRNO(shmctl(id, IPC_STAT, &status), EACCES);
                 CHECK_ERRNO(shmctl(id, IPC_RMID, nullptr), EPERM);
                 CHECK_ERRNO(shmctl(id, SHM_LOCK, nullptr), EPERM);
                 return 0;
               }),
               0);
  CHECK_EQ(shmctl(id, IPC_RMID, nullptr), 0);
}

TEST(where_it_is_attached) {
  Segment s(8192);
  auto* room =
      static_cast<char*>(mmap(nullptr, 4 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  CHECK(shmat(s.id, room, 0) == reinterpret_cast<void*>(-1) && errno == EINVAL);
  CHECK(shmat(s.id, room + 1, 0) == reinterpret_cast<void*>(-1) && errno == EINVAL);
  CHECK(shmat(s.id, nullptr, SHM_REMAP) == reinterpret_cast<void*>(-1) && errno == EINVAL);
  CHECK(s.attach(SHM_REMAP, room) == room);
  room[8191] = 'x';
  munmap(room + 8192, 8192);
  CHECK(s.attach(SHM_RND, room + 8192 + 5) == room + 8192);
  CHECK_EQ(room[2 * 8192 - 1], 'x');
  CHECK_EQ(s.status().shm_nattch, 2);
  CHECK_ERRNO(shmdt(room + 4096), EINVAL);
  CHECK_ERRNO(shmdt(room + 1), EINVAL);
  munmap(room, 4096);  // in part
  CHECK_EQ(shmdt(room), 0);
  CHECK_EQ(s.status().shm_nattch, 1);
  CHECK_EQ(shmdt(room + 8192), 0);
  CHECK_ERRNO(shmdt(room + 8192), EINVAL);
  CHECK_EQ(s.status().shm_nattch, 0);
}

TEST(attached_for_reading) {
  Segment s(4096);
  char* address = s.attach(SHM_RDONLY);
  CHECK_EQ(address[0], 0);
  CHECK_ERRNO(mprotect(address, 4096, PROT_READ | PROT_WRITE), EACCES);
  CHECK_KILLED(check::in_child([&] { return *const_cast<volatile char*>(address) = 1, 0; }),
               SIGSEGV);
}

TEST(the_end_of_a_process_detaches) {
  Segment s(4096);
  s.attach();
  CHECK_EXITED(check::in_child([&] {
                 s.attach();
                 return s.status().shm_nattch == 3 ? 0 : 1;
               }),
               0);
  CHECK_EQ(s.status().shm_nattch, 1);
}

TEST(refused_of_segments) {
  shmid_ds status;
  Segment s(4096);
  CHECK_ERRNO(shmctl(-1, IPC_STAT, &status), EINVAL);
  CHECK_ERRNO(shmctl(s.id, 99, &status), EINVAL);
  CHECK_ERRNO(shmctl(s.id, IPC_STAT, static_cast<shmid_ds*>(nowhere)), EFAULT);
  CHECK_ERRNO(shmctl(s.id, IPC_SET, static_cast<shmid_ds*>(nowhere)), EFAULT);
  CHECK_ERRNO(shmctl(0, IPC_INFO, static_cast<shmid_ds*>(nowhere)), EFAULT);
  CHECK(shmctl(0, IPC_INFO, &status) >= 0);
  CHECK(shmat(-1, nullptr, 0) == reinterpret_cast<void*>(-1) && errno == EINVAL);
  CHECK_ERRNO(shmdt(nowhere), EINVAL);
  CHECK_ERRNO(shmdt(nullptr), EINVAL);
}
