// See rights.h. Called when messages with files are sent, received or thrown away, and when local
// sockets are closed; nothing here sleeps.
#include "guest/net/rights.h"

#include <utility>

#include "guest/net/socket.h"

namespace guest {

constinit InFlight in_flight;

namespace {

RightsHolder* holder_of(File& file) {
  Socket* socket = file_as<Socket>(file);
  return socket ? socket->rights_holder() : nullptr;
}

}  // namespace

Rights::~Rights() {
  if (in_queue) in_flight.leave(*this);
}

bool Rights::release() {
  if (Counted::release()) in_flight.let_go(*this);
  return false;  // who deletes it is let_go
}

RightsHolder::RightsHolder(File& file) : file(file) {
  in_flight.add(*this);
}
RightsHolder::~RightsHolder() {
  holder_node.unlink();
}

Result<> InFlight::check(std::size_t more, std::uint64_t limit, bool is_root) {
  if (files_ + more > most) collect();
  if (files_ + more > most || (!is_root && files_ > limit)) return Errno::toomanyrefs;
  return {};
}

void InFlight::enter(Rights& rights) {
  rights.in_queue = true;
  files_ += rights.files.size();
  for (const Ref<File>& file : rights.files)
    if (RightsHolder* holder = holder_of(*file)) ++holder->queued;
}

void InFlight::leave(Rights& rights) {
  rights.in_queue = false;
  files_ -= rights.files.size();
  for (const Ref<File>& file : rights.files)
    if (RightsHolder* holder = holder_of(*file)) --holder->queued;
}

void InFlight::let_go(Rights& rights) {
  letting_go_.push_back(rights);
  if (!busy_) let_go_of_all();
}

void InFlight::let_go_of_all() {
  busy_ = true;
  while (Rights* next = letting_go_.pop_front()) delete next;
  busy_ = false;
}

// Whoever is held by more than queues can be reached, and so can all that lies in its queues. What
// remains is held by itself alone.
void InFlight::collect() {
  using Work = List<RightsHolder, &RightsHolder::work_node>;
  struct Reach final : RightsHolder::Visitor {
    explicit Reach(Work& work) : work(work) {}
    void visit(Rights& rights) override {
      for (const Ref<File>& file : rights.files)
        if (RightsHolder* holder = holder_of(*file)) mark(*holder);
    }
    void mark(RightsHolder& holder) {
      if (!std::exchange(holder.reached, true)) work.push_back(holder);
    }
    Work& work;
  };

  if (files_ == 0 || std::exchange(collecting_, true)) return;
  Work work;
  Reach reach(work);
  for (RightsHolder& holder : holders_) holder.reached = false;
  for (RightsHolder& holder : holders_)
    if (holder.file.references() != holder.queued) reach.mark(holder);
  while (RightsHolder* holder = work.pop_front()) holder->each_rights(reach);

  const bool was_busy = std::exchange(busy_, true);  // nobody goes while the list is walked
  for (RightsHolder& holder : holders_)
    if (!holder.reached) holder.give_up_rights();
  busy_ = was_busy;
  collecting_ = false;
  if (!busy_) let_go_of_all();
}

}  // namespace guest
