// See the header.
#include "guest/fs/events/inotify.h"

#include <new>

namespace guest {

std::uint32_t Inotify::watching = 0;

InodeWatch::InodeWatch(Inotify& inotify, Ref<Inode> inode, std::int32_t number)
    : inotify(inotify), inode(std::move(inode)), number(number) {
  this->inode->add_watcher(*this);
  inotify.watches_.push_back(*this);
  ++Inotify::watching;
}

InodeWatch::~InodeWatch() {
  inode_node.unlink();
  item_node.unlink();
  --Inotify::watching;
}

void InodeWatch::happened(const Notice& notice) {
  Notice told = notice;
  if (told.events & (abi::in_delete_self | abi::in_move_self)) told.events &= ~abi::in_isdir;
  inotify.add(number, told);
  if (mask & abi::in_oneshot) inotify.end(*this);
}

void InodeWatch::inode_gone() {
  if (wanted & abi::in_delete_self) inotify.add(number, {abi::in_delete_self, 0, {}});
  inotify.end(*this);
}

Inotify::~Inotify() {
  while (InodeWatch* watch = watches_.front()) delete watch;
  while (Event* event = events_queued_.pop_front()) heap_free(event);
}

Result<std::int32_t> Inotify::watch(Ref<Inode> inode, std::uint32_t mask) {
  InodeWatch* found = nullptr;
  for (InodeWatch& watch : watches_)
    if (watch.inode == inode) found = &watch;
  if (found && mask & abi::in_mask_create) return Errno::exist;
  if (!found) {
    if (watching == most_watches) return Errno::nospc;
    if (last_number_ == INT32_MAX) return Errno::nospc;
    found = new (std::nothrow) InodeWatch(*this, std::move(inode), last_number_ + 1);
    if (!found) return Errno::nomem;
    ++last_number_;
  }
  const std::uint32_t before = mask & abi::in_mask_add ? found->mask : 0;
  found->mask = before | (mask & ~abi::in_mask_add);
  found->wanted = (found->mask & abi::in_all_events) | abi::in_unmount;
  return found->number;
}

Result<> Inotify::forget(std::int32_t number) {
  for (InodeWatch& watch : watches_) {
    if (watch.number != number) continue;
    end(watch);
    return {};
  }
  return Errno::inval;
}

void Inotify::end(InodeWatch& watch) {
  add(watch.number, {abi::in_ignored, 0, {}});
  delete &watch;
}

bool Inotify::repeats_last(std::int32_t watch, const Notice& notice) {
  if (!last_) return false;
  const abi::InotifyEvent& head = last_->head;
  if (head.watch != watch || head.mask != notice.events || head.cookie != notice.cookie)
    return false;
  const std::string_view name = head.name_bytes ? std::string_view(last_->name()) : "";
  return name == notice.name;
}

void Inotify::add(std::int32_t watch, const Notice& notice) {
  if (repeats_last(watch, notice)) return;
  constexpr std::size_t unit = sizeof(abi::InotifyEvent);
  const std::size_t length = notice.name.size();
  const std::size_t room = length ? (length + 1 + unit - 1) / unit * unit : 0;
  void* memory = nullptr;
  if (queued_ < most_queued) memory = heap_allocate(sizeof(Event) + room, HeapKind::crowd);
  if (!memory) {  // there is one place more for the news that something is missing
    if (last_ && last_->head.mask & abi::in_q_overflow) return;
    memory = heap_allocate(sizeof(Event), HeapKind::file);
    if (!memory) return;
    last_ = new (memory) Event{{}, {-1, abi::in_q_overflow, 0, 0}};
  } else {
    last_ = new (memory)
        Event{{}, {watch, notice.events, notice.cookie, static_cast<std::uint32_t>(room)}};
    __builtin_memset(last_->name(), 0, room);
    __builtin_memcpy(last_->name(), notice.name.data(), length);
  }
  events_queued_.push_back(*last_);
  ++queued_;
  events_.notify(abi::poll_in | abi::poll_rdnorm);
}

Result<> Inotify::put(Event& event, UserAddress to) {
  TRY(put_user(to, event.head));
  return copy_to_user(to + sizeof event.head, event.name(), event.head.name_bytes);
}

Result<std::size_t> Inotify::read(UserAddress to, std::size_t bytes) {
  TRY(wait_for(abi::poll_in));
  std::size_t done = 0;
  while (Event* event = events_queued_.front()) {
    const std::size_t size = event->bytes();
    if (size > bytes - done) break;
    // Taken first: the copy may sleep, and another reader come.
    events_queued_.pop_front();
    if (event == last_) last_ = nullptr;
    --queued_;
    auto outcome = put(*event, to + done);
    heap_free(event);
    if (!outcome.ok()) return outcome.error();
    done += size;
  }
  return done ? Result<std::size_t>(done) : Errno::inval;
}

std::uint32_t Inotify::poll_state() {
  return queued_ ? abi::poll_in | abi::poll_rdnorm : 0;
}

Result<std::int64_t> Inotify::ioctl(std::uint32_t request, std::uint64_t argument) {
  if (request != abi::fionread) return Errno::notty;
  std::size_t bytes = 0;
  for (const Event& event : events_queued_) bytes += event.bytes();
  TRY(put_user(UserAddress{argument}, static_cast<std::int32_t>(bytes)));
  return std::int64_t{0};
}

Result<Ref<File>> make_inotify(std::uint32_t flags) {
  return Ref<File>(
      TRY(make_ref<Inotify>(TRY(make_anonymous_inode("inotify")), flags | abi::o_rdonly)));
}

}  // namespace guest
