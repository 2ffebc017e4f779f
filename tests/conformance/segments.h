// A segment of System V's shared memory that goes with the test which made it.
#pragma once

#include <sys/ipc.h>
#include <sys/shm.h>

#include "check.h"

struct Segment {
  int id;
  explicit Segment(size_t bytes, int flags = 0600) : id(shmget(IPC_PRIVATE, bytes, flags)) {
    REQUIRE(id >= 0);
  }
  ~Segment() { shmctl(id, IPC_RMID, nullptr); }
  char* attach(int flags = 0, void* at = nullptr) const {
    void* address = shmat(id, at, flags);
    REQUIRE(address != reinterpret_cast<void*>(-1));
    return static_cast<char*>(address);
  }
  shmid_ds status() const {
    shmid_ds out;
    REQUIRE(shmctl(id, IPC_STAT, &out) == 0);
    return out;
  }
};
