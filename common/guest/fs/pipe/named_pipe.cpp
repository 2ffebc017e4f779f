// NamedPipe: see the header.
#include "guest/fs/pipe/named_pipe.h"

#include "guest/abi/file_flags.h"

namespace guest {
namespace {

// Waits until somebody has opened the other end since `seen` was read.
Result<> wait_for_partner(Pipe& pipe, const std::uint32_t& now, std::uint32_t seen) {
  while (now == seen) TRY(pipe.opened.wait());
  return {};
}

}  // namespace

Result<Ref<File>> NamedPipe::open(Ref<Inode> inode, std::uint32_t flags) {
  if (!pipe_) pipe_ = TRY(make_ref<Pipe>());
  std::uint32_t access = flags & abi::o_access;
  bool nonblocking = flags & abi::o_nonblock;
  if (access == abi::o_wronly && nonblocking && pipe_->readers() == 0) return Errno::nxio;
  std::uint32_t readers = pipe_->readers_seen, writers = pipe_->writers_seen;
  Ref<File> file =
      TRY(make_ref<PipeFile>(std::move(inode), flags, pipe_, pipe_->writers() == 0 ? writers : 0));
  if (access == abi::o_rdonly && !nonblocking && pipe_->writers() == 0)
    TRY(wait_for_partner(*pipe_, pipe_->writers_seen, writers));
  if (access == abi::o_wronly && pipe_->readers() == 0)
    TRY(wait_for_partner(*pipe_, pipe_->readers_seen, readers));
  return file;
}

void NamedPipe::closed() {
  if (pipe_ && pipe_->readers() == 0 && pipe_->writers() == 0) pipe_.reset();
}

}  // namespace guest
