// FileTable: a process's descriptors. Slots share open files (File); fork clones the table, exec
// closes the marked slots. It is the owner of POSIX locks, of which it loses all that it has on a
// file by closing any descriptor of it.
#pragma once

#include "guest/base/share.h"
#include "guest/heap/make.h"
#include "guest/heap/vec.h"
#include "guest/vfs/inode.h"

namespace guest {

class FileTable : public Sharable, public Allocated<HeapKind::process> {
 public:
  static constexpr int limit = 1024, hard_limit = 4096;  // of RLIMIT_NOFILE, unless changed
  static constexpr int most = 1 << 20;                   // that anybody can ask for

  ~FileTable();
  static Result<Ref<FileTable>> create() { return make_ref<FileTable>(); }
  Result<Ref<FileTable>> clone();

  /// EBADF when nothing is open there.
  Result<Ref<File>> get(int fd) const;
  /// Puts `file` in the lowest free slot from `minimum` on. EMFILE when all below `end`, the asking
  /// process's limit, are taken.
  Result<int> install(Ref<File> file, int end, bool close_on_exec = false, int minimum = 0);
  /// For one more to install; its errors.
  Result<> make_room(int end);
  /// Puts `file` in slot `fd`, closing what was there (dup2). EBADF: it is not below `end`.
  Result<> install_at(int fd, Ref<File> file, int end, bool close_on_exec = false);
  Result<> close(int fd);
  /// Nothing is open from here on.
  [[nodiscard]] int end() const { return static_cast<int>(slots_.size()); }
  /// Closes first..last, or only marks them close-on-exec.
  void close_range(std::uint32_t first, std::uint32_t last, bool only_mark);

  Result<bool> close_on_exec_flag(int fd) const;
  Result<> set_close_on_exec_flag(int fd, bool value);
  /// At execve: closes the marked slots.
  void close_on_exec();

 private:
  struct Slot {
    Ref<File> file;
    bool close_on_exec = false;
  };
  [[nodiscard]] bool open(int fd) const;
  void release_locks(const Slot& closed);
  [[nodiscard]] int free_from(int minimum) const;
  Result<> grow(int slots);

  Vec<Slot> slots_{HeapKind::file};
  int lowest_free_ = 0;  // no free slot below it
};

}  // namespace guest
