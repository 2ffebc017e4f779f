// PipeFile: the ends of a pipe as open files, and the inode behind an unnamed pipe.
#include "guest/abi/file_flags.h"
#include "guest/base/clock.h"
#include "guest/fs/pipe/pipe.h"
#include "guest/vfs/device_number.h"

namespace guest {
namespace {

/// What fstat and /proc see of a pipe. Opened by way of /proc/self/fd it gives another end.
class PipeInode final : public Inode {
 public:
  explicit PipeInode(Ref<Pipe> pipe)
      : pipe_(std::move(pipe)), number_(++last_number), created_ns_(realtime_ns()) {}
  [[nodiscard]] std::uint32_t mode() const override { return mode_fifo | 0600; }
  Stat stat() override {
    Stat s{};
    s.device = device_of_pipes;
    s.inode = number_;
    s.mode = mode();
    s.links = 1;
    s.block_size = vmi::page_size;
    s.atime_ns = s.mtime_ns = s.ctime_ns = created_ns_;
    return s;
  }
  /// Never waits for a partner, as a FIFO would.
  Result<Ref<File>> open(std::uint32_t flags) override {
    return Ref<File>(TRY(make_ref<PipeFile>(Ref<Inode>(this), flags, pipe_)));
  }
  Result<> set_mode(std::uint32_t) override { return {}; }
  Result<> set_owner(std::uint32_t, std::uint32_t) override { return {}; }

 private:
  static std::uint32_t last_number;
  Ref<Pipe> pipe_;
  std::uint32_t number_;
  std::uint64_t created_ns_;
};
std::uint32_t PipeInode::last_number = 0;

}  // namespace

PipeFile::PipeFile(Ref<Inode> inode, std::uint32_t flags, Ref<Pipe> pipe,
                   std::uint32_t writers_before)
    : File(std::move(inode), flags), pipe_(std::move(pipe)), writers_before_(writers_before) {
  if (reads()) pipe_->add_reader();
  if (writes()) pipe_->add_writer();
}

PipeFile::~PipeFile() {
  if (reads()) pipe_->drop_reader();
  if (writes()) pipe_->drop_writer();
}

bool PipeFile::reads() const {
  return abi::may_read(flags);
}
bool PipeFile::writes() const {
  return abi::may_write(flags);
}

Result<std::size_t> PipeFile::read(UserAddress to, std::size_t bytes) {
  return pipe_->read(to, bytes, flags & abi::o_nonblock);
}

Result<std::size_t> PipeFile::write(Source from, std::size_t bytes) {
  return pipe_->write(from, bytes, flags & abi::o_nonblock);
}

Result<std::int64_t> PipeFile::ioctl(std::uint32_t request, std::uint64_t argument) {
  if (request != abi::fionread) return Errno::notty;
  TRY(put_user(UserAddress{argument}, static_cast<std::int32_t>(pipe_->used())));
  return std::int64_t{0};
}

std::uint32_t PipeFile::poll_state() {
  std::uint32_t state = 0;
  if (reads()) {
    if (pipe_->used()) state |= abi::poll_in | abi::poll_rdnorm;
    if (pipe_->writers() == 0 && pipe_->writers_seen != writers_before_) state |= abi::poll_hup;
  }
  if (writes()) {
    if (pipe_->space() >= abi::pipe_buf) state |= abi::poll_out | abi::poll_wrnorm;
    if (pipe_->readers() == 0) state |= abi::poll_err;
  }
  return state;
}

Result<PipeEnds> make_pipe(std::uint32_t flags) {
  flags &= abi::o_nonblock;
  Ref<Pipe> pipe = TRY(make_ref<Pipe>());
  Ref<Inode> inode = TRY(make_ref<PipeInode>(pipe));
  PipeEnds ends;
  ends.reader = TRY(make_ref<PipeFile>(inode, flags | abi::o_rdonly, pipe));
  ends.writer = TRY(make_ref<PipeFile>(inode, flags | abi::o_wronly, pipe));
  return ends;
}

}  // namespace guest
