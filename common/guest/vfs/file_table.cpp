// FileTable: see the header. Used by the descriptor calls, by fork, exec and exit.
#include "guest/vfs/file_table.h"

#include "guest/abi/file_flags.h"
#include "guest/vfs/file_locks.h"

namespace guest {

FileTable::~FileTable() {
  for (const Slot& slot : slots_) release_locks(slot);
}

void FileTable::release_locks(const Slot& closed) {
  if (!closed.file || !closed.file->inode().locked() || closed.file->flags & abi::o_path) return;
  FileLocks::release_all(closed.file->inode(), this);
}

bool FileTable::open(int fd) const {
  return fd >= 0 && static_cast<std::size_t>(fd) < slots_.size() && slots_[fd].file;
}

Result<> FileTable::grow(int slots) {
  auto wanted = static_cast<std::size_t>(slots);
  if (wanted <= slots_.size()) return {};
  if (wanted > 16 && wanted < 64) TRY(slots_.reserve(64));
  while (slots_.size() < wanted) TRY(slots_.push(Slot{}));
  return {};
}

Result<Ref<FileTable>> FileTable::clone() {
  auto copy = TRY(create());
  TRY(copy->slots_.reserve(slots_.size()));
  for (const Slot& slot : slots_) TRY(copy->slots_.push(slot));
  copy->lowest_free_ = lowest_free_;
  return copy;
}

Result<Ref<File>> FileTable::get(int fd) const {
  if (!open(fd)) return Errno::badf;
  return slots_[fd].file;
}

int FileTable::free_from(int minimum) const {
  int fd = minimum < lowest_free_ ? lowest_free_ : minimum;
  while (open(fd)) ++fd;
  return fd;
}

Result<> FileTable::make_room(int end) {
  const int fd = free_from(0);
  return fd < end ? grow(fd + 1) : Errno::mfile;
}

Result<int> FileTable::install(Ref<File> file, int end, bool close_on_exec, int minimum) {
  const int fd = free_from(minimum);
  if (fd >= end) return Errno::mfile;
  TRY(grow(fd + 1));
  slots_[fd] = Slot{std::move(file), close_on_exec};
  if (minimum <= lowest_free_) lowest_free_ = fd + 1;
  return fd;
}

Result<> FileTable::install_at(int fd, Ref<File> file, int end, bool close_on_exec) {
  if (fd < 0 || fd >= end) return Errno::badf;
  TRY(grow(fd + 1));
  // The old file goes last: its end may wake others, who must find the table in order.
  Slot old = std::exchange(slots_[fd], Slot{std::move(file), close_on_exec});
  if (fd == lowest_free_) lowest_free_ = fd + 1;
  release_locks(old);
  return {};
}

Result<> FileTable::close(int fd) {
  if (!open(fd)) return Errno::badf;
  Slot old = std::exchange(slots_[fd], Slot{});
  if (fd < lowest_free_) lowest_free_ = fd;
  release_locks(old);
  return {};
}

void FileTable::close_range(std::uint32_t first, std::uint32_t last, bool only_mark) {
  for (std::uint32_t fd = first; fd <= last && fd < slots_.size(); ++fd) {
    if (!open(static_cast<int>(fd))) continue;
    if (only_mark)
      slots_[fd].close_on_exec = true;
    else
      static_cast<void>(close(static_cast<int>(fd)).ok());
  }
}

Result<bool> FileTable::close_on_exec_flag(int fd) const {
  if (!open(fd)) return Errno::badf;
  return slots_[fd].close_on_exec;
}

Result<> FileTable::set_close_on_exec_flag(int fd, bool value) {
  if (!open(fd)) return Errno::badf;
  slots_[fd].close_on_exec = value;
  return {};
}

void FileTable::close_on_exec() {
  for (std::size_t fd = 0; fd < slots_.size(); ++fd)
    if (slots_[fd].file && slots_[fd].close_on_exec)
      static_cast<void>(close(static_cast<int>(fd)).ok());
}

}  // namespace guest
