// Ids: the one space of numbers that threads, processes, groups and sessions have, as on Linux. A
// number is taken from when a thread is to be made until nothing goes by it any more: no thread, no
// process (zombies until they have been waited for), no group and no session with a member.
#pragma once

#include "guest/base/list.h"
#include "guest/base/result.h"
#include "guest/heap/heap.h"
#include "guest/proc/process.h"

namespace guest {

/// A number that is taken, and what goes by it.
struct Id : Allocated<HeapKind::process> {
  explicit Id(int number) : number(number) {}
  const int number;
  Thread* thread = nullptr;  // of a process: its leader
  List<Process, &Process::group_node> group;
  List<Process, &Process::session_node> session;

 private:
  friend class IdTable;
  Id* next_ = nullptr;  // of the same bucket
};

class IdTable {
 public:
  /// Takes a number. EAGAIN: all are taken; ENOMEM.
  Result<int> take();
  /// nullptr: not taken.
  Id* find(int number);
  /// The one taken last.
  [[nodiscard]] int newest() const { return last_; }
  /// Something no longer goes by this number, or what it was taken for has not come about.
  void give_back_if_unused(int number);

 private:
  static constexpr int buckets = 256;
  Id*& bucket(int number) { return buckets_[number % buckets]; }

  int last_ = 0;
  Id* buckets_[buckets] = {};
};

extern IdTable ids;

}  // namespace guest
