// Rights: open files on their way from one process to another (SCM_RIGHTS), in the queue of a local
// socket. A socket may be among them, and so be kept by nothing but a queue that nobody can read:
// its own, or one in a ring of such. InFlight finds those and empties their queues.
#pragma once

#include "guest/base/list.h"
#include "guest/heap/make.h"
#include "guest/heap/vec.h"
#include "guest/vfs/inode.h"

namespace guest {

struct Rights : Counted, Allocated<HeapKind::crowd> {
  ~Rights();
  /// What a File keeps may be another queue with files in it, and so on: they go one by one.
  [[nodiscard]] bool release();

  ListNode node;
  Vec<Ref<File>> files{HeapKind::crowd};
  bool in_queue = false;  // and counted there; else in a process's hands, still or already
};

/// A socket whose queues may hold rights.
class RightsHolder {
 public:
  struct Visitor {
    virtual void visit(Rights& rights) = 0;

   protected:
    ~Visitor() = default;
  };
  virtual void each_rights(Visitor& visitor) = 0;
  /// Takes them out of its queues.
  virtual void give_up_rights() = 0;

  ListNode holder_node, work_node;
  File& file;                // the socket
  std::uint32_t queued = 0;  // how often it is among the rights in queues
  bool reached = false;      // in a collection: somebody can get at it

 protected:
  explicit RightsHolder(File& file);
  ~RightsHolder();
};

class InFlight {
 public:
  constexpr InFlight() = default;
  void add(RightsHolder& holder) { holders_.push_back(holder); }
  /// May somebody whose limit of open files is that send so many? ETOOMANYREFS.
  Result<> check(std::size_t more, std::uint64_t limit, bool is_root);
  /// They are in a queue now; they are out again.
  void enter(Rights& rights);
  void leave(Rights& rights);
  /// Lets go of what no process can get at. When a local socket is closed, and when there are many.
  void collect();
  void let_go(Rights& rights);
  /// All local sockets.
  using Holders = List<RightsHolder, &RightsHolder::holder_node>;
  Holders& holders() { return holders_; }

 private:
  static constexpr std::size_t most = 16 * 1024;  // files in queues, of everybody
  void let_go_of_all();

  Holders holders_;
  List<Rights, &Rights::node> letting_go_;
  bool busy_ = false, collecting_ = false;
  std::size_t files_ = 0;
};

extern InFlight in_flight;

}  // namespace guest
