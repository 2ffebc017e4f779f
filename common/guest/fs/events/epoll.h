// Epoll: waits for many files at once, at a price that depends on how many have something to say,
// not on how many there are. It listens to each file all the time; what it hears puts the file on a
// list, and epoll_wait looks at those alone.
#pragma once

#include "guest/fs/events/anonymous.h"

namespace guest {

class Epoll;

/// What a program asks for: EPOLL bits, and a word that comes back with them.
struct EpollInterest {
  std::uint32_t events = 0;
  std::uint64_t data = 0;
};

/// One file that is watched, by the number it had then. The file's last user takes it away.
struct EpollItem final : FileWatcher, Allocated<HeapKind::file> {
  EpollItem(Epoll& epoll, File& file, int fd);
  ~EpollItem();
  void file_closes() override;
  /// What the file has now of what is asked for. None once EPOLLONESHOT has had its shot.
  [[nodiscard]] std::uint32_t look() const;

  ListNode item_node, ready_node;
  Listener listener;
  Epoll& epoll;
  File& file;
  const int fd;
  EpollInterest wanted;

 private:
  static void heard(Listener& listener, Events happened);
};

class Epoll final : public AnonymousFile {
 public:
  Epoll(Ref<Inode> inode, std::uint32_t flags) : AnonymousFile(std::move(inode), flags) {}
  ~Epoll() override;
  static constexpr char tag = 0;
  [[nodiscard]] const void* class_tag() const override { return &tag; }

  /// EEXIST; EPERM: such files have nothing to wait for; ELOOP: epolls that watch one another, or
  /// too deep; EINVAL; ENOMEM.
  Result<> add(File& file, int fd, EpollInterest interest);
  /// ENOENT, EINVAL.
  Result<> change(File& file, int fd, EpollInterest interest);
  Result<> remove(File& file, int fd);

  /// Puts up to `most` into user memory, 12 bytes each; waits until there is one, or `deadline_ns`
  /// (0: for ever, no_time: not at all). Returns how many. EINTR, always: it is never made again.
  Result<std::size_t> wait(UserAddress to, std::size_t most, std::uint64_t deadline_ns);

  std::uint32_t poll_state() override;

 private:
  friend struct EpollItem;
  /// How deep epolls may watch one another, and how many: looking at one looks at all that it
  /// watches. An outer one may watch many that watch none, else the paths would multiply.
  static constexpr int deepest = 5, most_nested = 8, most_flat = 1000;

  EpollItem* find(File& file, int fd);
  Result<> check_nesting(Epoll& inner);
  [[nodiscard]] int levels_below(const Epoll* unless);
  [[nodiscard]] int levels_above();
  void look_at(EpollItem& item);
  void becomes_ready(EpollItem& item);
  Result<std::size_t> collect(UserAddress to, std::size_t most);

  List<EpollItem, &EpollItem::item_node> items_;
  List<EpollItem, &EpollItem::ready_node> ready_;  // perhaps: they have said something
  int nested_ = 0;                                 // items that are epolls
};

Result<Ref<File>> make_epoll();

}  // namespace guest
