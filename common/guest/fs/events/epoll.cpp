// See the header. Everything runs in a system call but becomes_ready(), which whoever changes a
// watched file calls in the midst of its own work.
#include "guest/fs/events/epoll.h"

#include <algorithm>

#include "guest/abi/file_flags.h"
#include "guest/heap/make.h"
#include "guest/vfs/poll.h"

namespace guest {
namespace {

constexpr std::uint32_t edge = 1u << 31, one_shot = 1u << 30, wake_up = 1u << 29,
                        exclusive = 1u << 28;
constexpr std::uint32_t ways = edge | one_shot | wake_up | exclusive;  // the rest are poll bits
constexpr std::uint32_t always = abi::poll_err | abi::poll_hup;

/// struct epoll_event: x86-64 packs it.
struct [[gnu::packed]] EventRecord {
  std::uint32_t events;
  std::uint64_t data;
};
static_assert(sizeof(EventRecord) == 12);

/// Nobody else watches files.
EpollItem& item_of(FileWatcher& watcher) {
  return static_cast<EpollItem&>(watcher);
}

}  // namespace

void EpollItem::heard(Listener& listener, Events) {
  EpollItem& item = *static_cast<EpollItem*>(listener.owner);
  item.epoll.becomes_ready(item);
}

EpollItem::EpollItem(Epoll& epoll, File& file, int fd)
    : listener(heard, this), epoll(epoll), file(file), fd(fd) {
  epoll.items_.push_back(*this);
  file.watchers.push_back(*this);
  file.events()->add(listener);
  if (file_as<Epoll>(file)) ++epoll.nested_;
}

EpollItem::~EpollItem() {
  if (file_as<Epoll>(file)) --epoll.nested_;
  WaitQueue::remove(listener);
  for (ListNode* node : {&item_node, &ready_node, &watcher_node}) node->unlink();
}

void EpollItem::file_closes() {
  delete this;
}

std::uint32_t EpollItem::look() const {
  const std::uint32_t bits = wanted.events & ~ways;
  return bits ? file.poll_state() & bits : 0;
}

Epoll::~Epoll() {
  while (EpollItem* item = items_.front()) delete item;
}

// A file is watched by few: its list is the shorter one.
EpollItem* Epoll::find(File& file, int fd) {
  for (FileWatcher& watcher : file.watchers) {
    EpollItem& item = item_of(watcher);
    if (&item.epoll == this && item.fd == fd) return &item;
  }
  return nullptr;
}

int Epoll::levels_below(const Epoll* unless) {
  if (this == unless) return deepest + 1;
  if (nested_ == 0) return 1;
  int levels = 0;
  for (EpollItem& item : items_)
    if (Epoll* inner = file_as<Epoll>(item.file))
      levels = std::max(levels, inner->levels_below(unless));
  return levels + 1;
}

int Epoll::levels_above() {
  int levels = 0;
  for (FileWatcher& watcher : watchers)
    levels = std::max(levels, item_of(watcher).epoll.levels_above());
  return levels + 1;
}

// A cycle through `this` counts as too deep.
Result<> Epoll::check_nesting(Epoll& inner) {
  if (inner.levels_below(this) + levels_above() > deepest) return Errno::loop;
  int watched_by = 0;
  for ([[maybe_unused]] FileWatcher& watcher : inner.watchers) ++watched_by;
  const int most = inner.nested_ == 0 && watchers.empty() ? most_flat : most_nested;
  return nested_ < most && watched_by < most ? Result<>() : Errno::inval;
}

Result<> Epoll::add(File& file, int fd, EpollInterest interest) {
  if (!file.events()) return Errno::perm;
  if (&file == this) return Errno::inval;
  constexpr std::uint32_t with_exclusive =
      (ways ^ one_shot) | always | abi::poll_in | abi::poll_out;
  if ((interest.events & exclusive) &&
      ((interest.events & ~with_exclusive) || file_as<Epoll>(file)))
    return Errno::inval;
  if (find(file, fd)) return Errno::exist;
  if (Epoll* inner = file_as<Epoll>(file)) TRY(check_nesting(*inner));
  auto* item = new (std::nothrow) EpollItem(*this, file, fd);
  if (!item) return Errno::nomem;
  item->wanted = {interest.events | always, interest.data};
  look_at(*item);
  return {};
}

Result<> Epoll::change(File& file, int fd, EpollInterest interest) {
  EpollItem* item = find(file, fd);
  if ((interest.events & exclusive) || (item && (item->wanted.events & exclusive)))
    return Errno::inval;
  if (!item) return Errno::noent;
  item->wanted = {interest.events | always, interest.data};
  look_at(*item);
  return {};
}

Result<> Epoll::remove(File& file, int fd) {
  EpollItem* item = find(file, fd);
  if (!item) return Errno::noent;
  delete item;
  return {};
}

void Epoll::look_at(EpollItem& item) {
  item.listener.wanted = item.wanted.events & ~ways;
  if (item.look()) becomes_ready(item);
}

void Epoll::becomes_ready(EpollItem& item) {
  if (!item.ready_node.linked()) ready_.push_back(item);
  events_.notify(abi::poll_in | abi::poll_rdnorm);
}

std::uint32_t Epoll::poll_state() {
  for (EpollItem& item : ready_) {
    if (item.look()) return abi::poll_in | abi::poll_rdnorm;
    item.ready_node.unlink();
  }
  return 0;
}

// Level-triggered ones that are reported stay ready, behind those that have not had their turn.
Result<std::size_t> Epoll::collect(UserAddress to, std::size_t most) {
  List<EpollItem, &EpollItem::ready_node> reported;
  std::size_t count = 0;
  for (EpollItem& item : ready_) {
    if (count == most) break;
    const std::uint32_t events = item.look();
    if (!events) {
      item.ready_node.unlink();
      continue;
    }
    const EventRecord record = {events, item.wanted.data};
    if (!put_user(to + count * sizeof record, record).ok()) {
      if (count == 0) return Errno::fault;
      break;
    }
    ++count;
    item.ready_node.unlink();
    if (item.wanted.events & one_shot)
      item.wanted.events &= ways;
    else if (!(item.wanted.events & edge))
      reported.push_back(item);
  }
  while (EpollItem* item = reported.pop_front()) ready_.push_back(*item);
  return count;
}

Result<std::size_t> Epoll::wait(UserAddress to, std::size_t most, std::uint64_t deadline_ns) {
  for (bool time_is_up = deadline_ns == no_time;;) {
    const std::size_t count = TRY(collect(to, most));
    if (count || time_is_up) return count;
    auto slept = events_.wait(abi::poll_in, deadline_ns);
    time_is_up = slept.error() == Errno::timedout;
    if (!slept.ok() && !time_is_up) return Errno::intr;
  }
}

Result<Ref<File>> make_epoll() {
  return make_anonymous<Epoll>("[eventpoll]", 0);
}

}  // namespace guest
