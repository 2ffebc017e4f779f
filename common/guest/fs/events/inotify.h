// Inotify: a file from which a program reads what has been done to files and directories that it
// watches. The system calls say what is done (vfs/notice.h).
#pragma once

#include "guest/abi/inotify.h"
#include "guest/fs/events/anonymous.h"

namespace guest {

class Inotify;

/// One inode that is watched. It keeps the inode.
struct InodeWatch final : InodeWatcher, Allocated<HeapKind::crowd> {
  InodeWatch(Inotify& inotify, Ref<Inode> inode, std::int32_t number);
  ~InodeWatch();
  void happened(const Notice& notice) override;
  void inode_gone() override;

  ListNode item_node;
  Inotify& inotify;
  const Ref<Inode> inode;
  const std::int32_t number;  // as the program knows it
  std::uint32_t mask = 0;     // as it was asked for
};

class Inotify final : public AnonymousFile {
 public:
  /// Of one, and of all: each watch keeps an inode.
  static constexpr std::uint32_t most_queued = 1024, most_watches = 8192;

  Inotify(Ref<Inode> inode, std::uint32_t flags) : AnonymousFile(std::move(inode), flags) {}
  ~Inotify() override;
  static constexpr char tag = 0;
  [[nodiscard]] const void* class_tag() const override { return &tag; }

  /// A number of the watch on `inode`, new or as it was. EEXIST, ENOSPC, ENOMEM.
  Result<std::int32_t> watch(Ref<Inode> inode, std::uint32_t mask);
  /// EINVAL: there is no such watch.
  Result<> forget(std::int32_t number);

  /// As many events as fit; waits for one. EINVAL: not even that one fits.
  Result<std::size_t> read(UserAddress to, std::size_t bytes) override;
  std::uint32_t poll_state() override;
  Result<std::int64_t> ioctl(std::uint32_t request, std::uint64_t argument) override;

 private:
  friend struct InodeWatch;
  /// An event that nobody has read, with room for its name behind it.
  struct Event {
    ListNode node;
    abi::InotifyEvent head;
    [[nodiscard]] char* name() { return reinterpret_cast<char*>(this + 1); }
    [[nodiscard]] std::size_t bytes() const { return sizeof head + head.name_bytes; }
  };

  void add(std::int32_t watch, const Notice& notice);
  [[nodiscard]] bool repeats_last(std::int32_t watch, const Notice& notice);
  Result<> put(Event& event, UserAddress to);
  /// IN_IGNORED: the program hears no more of it.
  void end(InodeWatch& watch);

  List<InodeWatch, &InodeWatch::item_node> watches_;
  List<Event, &Event::node> events_queued_;
  Event* last_ = nullptr;
  std::uint32_t queued_ = 0;
  std::int32_t last_number_ = 0;
  static std::uint32_t watching;  // of all
};

Result<Ref<File>> make_inotify(std::uint32_t flags);

}  // namespace guest
