// See ids.h.
#include "guest/proc/ids.h"

#include <new>

namespace guest {

constinit IdTable ids;

Result<int> IdTable::take() {
  for (int tries = 0; tries < pid_limit; ++tries) {
    last_ = last_ + 1 < pid_limit ? last_ + 1 : 2;  // 1 is init's for ever
    if (find(last_)) continue;
    auto* id = new (std::nothrow) Id(last_);
    if (!id) return Errno::nomem;
    id->next_ = bucket(last_);
    bucket(last_) = id;
    return last_;
  }
  return Errno::again;
}

Id* IdTable::find(int number) {
  if (number < 0) return nullptr;
  Id* id = bucket(number);
  while (id && id->number != number) id = id->next_;
  return id;
}

void IdTable::give_back_if_unused(int number) {
  for (Id** link = &bucket(number); *link; link = &(*link)->next_) {
    Id* id = *link;
    if (id->number != number) continue;
    if (id->thread || !id->group.empty() || !id->session.empty()) return;
    *link = id->next_;
    delete id;
    return;
  }
}

}  // namespace guest
