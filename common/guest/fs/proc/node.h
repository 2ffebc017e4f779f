// ProcNode: what all inodes of /proc share. They are made anew for each look-up and hold no state;
// what they tell is made at each read. Files are texts, and nothing can be made, moved or removed.
#pragma once

#include "guest/heap/make.h"
#include "guest/heap/string.h"
#include "guest/vfs/device_number.h"
#include "guest/vfs/inode.h"

namespace guest {

class ProcNode : public Inode {
 public:
  /// `above` is the directory it was found in.
  ProcNode(std::uint64_t number, std::uint32_t mode, Ref<Inode> above,
           std::uint64_t device = device_of_proc)
      : number_(number), mode_(mode), above_(std::move(above)), device_(device) {}

  [[nodiscard]] std::uint32_t mode() const override { return mode_; }
  Stat stat() override;
  Result<std::size_t> read(std::uint64_t at, UserAddress to, std::size_t bytes) override;
  Result<String> target() override { return is(mode_symlink) ? text() : Errno::inval; }
  Result<Ref<Inode>> parent() override {
    return is(mode_directory) ? Result<Ref<Inode>>(above_) : Errno::notdir;
  }
  // Linux refuses these in /proc, each with its own error.
  Result<Ref<Inode>> create(std::string_view, std::uint32_t, std::uint64_t) override {
    return refusal(Errno::noent);
  }
  Result<Ref<Inode>> symlink(std::string_view, std::string_view) override {
    return refusal(Errno::perm);
  }
  Result<> link(std::string_view, Inode&) override { return refusal(Errno::xdev); }
  Result<> unlink(std::string_view) override { return refusal(Errno::perm); }
  Result<> rmdir(std::string_view) override { return refusal(Errno::perm); }
  Result<> rename(std::string_view, Inode&, std::string_view) override {
    return refusal(Errno::perm);
  }

 protected:
  /// A file's contents, a symlink's target.
  virtual Result<String> text() { return Errno::io; }
  /// Entries 0 and 1 of a directory.
  DirectoryEntry dot_entry(std::uint64_t& position);

  const std::uint64_t number_;
  const std::uint32_t mode_;
  const Ref<Inode> above_;
  const std::uint64_t device_;

 private:
  [[nodiscard]] Errno refusal(Errno error) const {
    return is(mode_directory) ? error : Errno::notdir;
  }
};

/// Adds to a text, as format_text; one call adds 255 characters at most.
[[gnu::format(printf, 2, 3)]] Result<> add(String& text, const char* format, ...);

}  // namespace guest
