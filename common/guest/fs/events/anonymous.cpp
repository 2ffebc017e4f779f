// See the header. Inodes are made by the calls that make the files.
#include "guest/fs/events/anonymous.h"

#include "guest/abi/file_flags.h"
#include "guest/heap/make.h"
#include "guest/vfs/device_number.h"

namespace guest {
namespace {

class AnonymousInode final : public Inode {
 public:
  explicit AnonymousInode(const char* name) : name_(name) {}
  [[nodiscard]] std::uint32_t mode() const override { return 0600; }  // of no type, as on Linux
  Stat stat() override {
    Stat s{};
    s.device = device_of_events;
    s.inode = 1;
    s.mode = mode();
    s.links = 1;
    s.block_size = vmi::page_size;
    return s;
  }
  /// By way of /proc/self/fd: there is nothing that could be opened again.
  Result<Ref<File>> open(std::uint32_t) override { return Errno::nxio; }
  [[nodiscard]] const char* anonymous_name() const override { return name_; }

 private:
  const char* name_;
};

}  // namespace

Result<Ref<Inode>> make_anonymous_inode(const char* name) {
  return Ref<Inode>(TRY(make_ref<AnonymousInode>(name)));
}

bool AnonymousFile::nonblocking() const {
  return flags & abi::o_nonblock;
}

Result<> AnonymousFile::wait_for(Events bits) {
  while (!(poll_state() & bits)) {
    if (nonblocking()) return Errno::again;
    TRY(events()->wait(bits));
  }
  return {};
}

}  // namespace guest
