// The console driver: three byte rings in the window and a few registers.
//
// Output goes into the ring of its stream, and the ring to the host at the end of each write call:
// what a program has written is out when write returns, in the order of the calls. Input is fetched
// when somebody wants it; irq_console says that it came, or that a full output ring has drained.
#include "guest/drivers/console.h"

#include "guest/abi/file_flags.h"
#include "guest/abi/terminal.h"
#include "guest/drivers/device_files.h"
#include "guest/drivers/ring.h"
#include "guest/drivers/terminal.h"
#include "guest/fs/ram/ramfs.h"
#include "guest/platform.h"
#include "guest/proc/process.h"
#include "guest/sched/interrupts.h"
#include "guest/sched/wait_queue.h"
#include "guest/vfs/mounts.h"
#include "guest/vfs/path.h"

namespace guest {
namespace {

std::int64_t console_register(std::uint32_t offset) {
  return static_cast<std::int64_t>(hypercalls().device_read(vmi::console_place.bus_base + offset));
}

void write_console_register(std::uint32_t offset) {
  hypercalls().device_write(vmi::console_place.bus_base + offset, 0);
}

Errno host_errno(std::int64_t state) {
  return static_cast<Errno>(-state);
}

/// Of all console files.
constinit WaitQueue console_events;

constexpr Events readable = abi::poll_in | abi::poll_rdnorm,
                 writable = abi::poll_out | abi::poll_wrnorm;

/// Standard input, as far as the driver knows about it.
class ConsoleInput {
 public:
  Result<std::size_t> read(UserAddress to, std::size_t bytes, bool nonblocking);
  bool ready();
  void interrupt();

 private:
  void probe();
  static auto& ring() { return rings().console_in; }

  bool armed_ = false;      // the device will raise irq_console when something comes
  std::int64_t ended_ = 0;  // an end of file (1) or error that nobody has been told of yet
};

// Asks the device for input, unless there is some to hand out or the device is at it already.
void ConsoleInput::probe() {
  if (ring_used(ring()) || ended_ || armed_) return;
  write_console_register(vmi::console_fill_in);
  if (ring_used(ring())) return;
  ended_ = console_register(vmi::console_in_state);
  armed_ = ended_ == 0;
}

void ConsoleInput::interrupt() {
  if (armed_) {
    armed_ = false;
    if (!ring_used(ring())) ended_ = console_register(vmi::console_in_state);
  }
}

bool ConsoleInput::ready() {
  probe();
  return ring_used(ring()) || ended_;
}

Result<std::size_t> ConsoleInput::read(UserAddress to, std::size_t bytes, bool nonblocking) {
  if (bytes == 0) return std::size_t{0};
  while (!ready()) {
    if (nonblocking) return Errno::again;
    TRY(console_events.wait(readable));
  }
  if (ring_used(ring())) {
    armed_ = false;
    return ring_take(ring(), to, bytes);
  }
  std::int64_t ended = std::exchange(ended_, 0);  // told once: on a terminal more may follow
  if (ended < 0) return host_errno(ended);
  return std::size_t{0};
}

constinit ConsoleInput input;

// Hands the ring to the host. What the host does not take at once it takes later; what it refuses
// is taken back, and added to `refused`.
template <class Ring>
Result<> flush(Ring& ring, std::uint32_t flush_register, std::size_t& refused) {
  if (ring_used(ring) == 0) return {};
  write_console_register(flush_register);
  std::int64_t state = console_register(flush_register);
  if (state >= 0) return {};
  refused += ring_withdraw(ring);
  return host_errno(state);
}

template <class Ring>
Result<std::size_t> write_stream(Ring& ring, std::uint32_t flush_register, Source from,
                                 std::size_t bytes, bool nonblocking) {
  std::size_t refused = 0;
  Errno failure = Errno::ok;
  auto hand_over = [&]() -> Result<> {
    auto flushed = flush(ring, flush_register, refused);
    if (!flushed.ok()) failure = flushed.error();
    return flushed;
  };
  auto put = in_parts(bytes, [&](std::size_t done) -> Result<std::size_t> {
    while (ring_space(ring) == 0) {
      TRY(hand_over());
      if (ring_space(ring)) break;  // else the host blocks
      if (nonblocking) return Errno::again;
      TRY(console_events.wait(writable));
    }
    return ring_put(ring, from + done, bytes - done);
  });
  (void)hand_over();
  if (failure == Errno::ok) return put;
  const std::size_t came = put.ok() ? put.value() : 0;  // and the last in the ring were ours
  return moved(failure, came > refused ? came - refused : 0);
}

enum Stream : int { stream_in = 0, stream_out = 1, stream_err = 2 };

bool is_terminal(int stream) {
  return boot_info().console_is_tty >> stream & 1;
}

class ConsoleFile final : public File {
 public:
  /// Reads come from stdin, writes go to `output`; terminal questions are about `about`.
  ConsoleFile(Ref<Inode> inode, std::uint32_t flags, int output, int about)
      : File(std::move(inode), flags), output_(output), about_(about) {}

  Result<std::size_t> read(UserAddress to, std::size_t bytes) override {
    return input.read(to, bytes, flags & abi::o_nonblock);
  }
  Result<std::size_t> write(Source from, std::size_t bytes) override {
    bool nonblocking = flags & abi::o_nonblock;
    if (output_ == stream_err)
      return write_stream(rings().console_err, vmi::console_flush_err, from, bytes, nonblocking);
    return write_stream(rings().console_out, vmi::console_flush_out, from, bytes, nonblocking);
  }
  Result<std::int64_t> ioctl(std::uint32_t request, std::uint64_t argument) override;
  std::uint32_t poll_state() override;
  WaitQueue* events() override { return &console_events; }
  [[nodiscard]] bool seekable() const override { return false; }

 private:
  [[nodiscard]] bool reads() const { return abi::may_read(flags); }
  int output_, about_;
};

std::uint32_t ConsoleFile::poll_state() {
  // A full ring is one that the host does not take: a write would wait.
  const bool room =
      output_ == stream_err ? ring_space(rings().console_err) : ring_space(rings().console_out);
  std::uint32_t state = room ? writable : 0;
  if (reads() && input.ready()) state |= readable;
  return state;
}

// The host's terminal stays in the mode it is in: a guest can read the usual settings and its
// changes are accepted without effect.
abi::WindowSize window_size() {
  std::uint32_t size = shared_info().console_size.load(std::memory_order_relaxed);
  return {static_cast<std::uint16_t>(size >> 16), static_cast<std::uint16_t>(size), 0, 0};
}

Result<std::int64_t> ConsoleFile::ioctl(std::uint32_t request, std::uint64_t argument) {
  if (!is_terminal(about_)) return Errno::notty;
  switch (request) {
    case abi::tcgets:
      TRY(put_user(UserAddress{argument}, abi::usual_terminal));
      return std::int64_t{0};
    case abi::tcsets:
    case abi::tcsetsw:
    case abi::tcsetsf:
    case abi::tcflsh:
      return std::int64_t{0};
    case abi::tiocgwinsz:
      TRY(put_user(UserAddress{argument}, window_size()));
      return std::int64_t{0};
    case abi::fionread:
      TRY(put_user(UserAddress{argument},
                   static_cast<std::int32_t>(ring_used(rings().console_in))));
      return std::int64_t{0};
    default:
      return Errno::notty;
  }
}

/// The console as one of the first process's streams: opening /dev/stderr gives that stream again.
class StreamInode final : public Inode {
 public:
  StreamInode(Ref<Inode> console, int stream) : console_(std::move(console)), stream_(stream) {}
  Stat stat() override { return console_->stat(); }
  [[nodiscard]] std::uint32_t mode() const override { return console_->mode(); }
  Result<> set_mode(std::uint32_t mode) override { return console_->set_mode(mode); }
  Result<> set_owner(std::uint32_t user, std::uint32_t group) override {
    return console_->set_owner(user, group);
  }
  Result<> set_times(std::uint64_t atime_ns, std::uint64_t mtime_ns) override {
    return console_->set_times(atime_ns, mtime_ns);
  }
  Result<Ref<File>> open(std::uint32_t flags) override {
    int output = stream_ == stream_in ? stream_out : stream_;
    return Ref<File>(TRY(make_ref<ConsoleFile>(Ref<Inode>(this), flags, output, stream_)));
  }

 private:
  Ref<Inode> console_;
  int stream_;
};

Result<Ref<File>> open_stream(const Ref<Inode>& inode, int stream) {
  if (has_terminal()) return open_terminal_file(inode, abi::o_rdwr | abi::o_noctty);
  std::uint32_t flags = stream == stream_in ? abi::o_rdonly : abi::o_wronly;
  return Ref<Inode>(TRY(make_ref<StreamInode>(inode, stream)))->open(flags);
}

/// The console's inode where the root tree has no /dev/console.
Result<Ref<Inode>> console_inode() {
  PathStart root{root_inode(), root_inode()};
  auto found = walk_path(root, TRY(String::from("/dev/console")), Last::follow);
  if (found.ok()) return found.value().inode;
  return Ref<Inode>(TRY(make_ref<RamDevice>(mode_character | 0600, device_console)));
}

/// irq_console is pending: input has come, or its end.
void console_interrupt() {
  if (has_terminal()) terminal_interrupt();
  input.interrupt();
  console_events.notify(readable | writable);
}

}  // namespace

void console_write_error(std::string_view text) {
  Source from(reinterpret_cast<const std::uint8_t*>(text.data()));
  auto& ring = rings().console_err;
  std::size_t refused = 0;
  for (std::size_t done = 0; done < text.size();) {
    done += ring_put(ring, from + done, text.size() - done).value();  // kernel memory: no fault
    if (!flush(ring, vmi::console_flush_err, refused).ok()) return;
    if (done == text.size()) return;
    if (!console_events.wait(writable, 0, Thread::Interrupt::by_kill).ok()) return;
  }
}

std::int64_t console_fill() {
  write_console_register(vmi::console_fill_in);
  return ring_used(rings().console_in) ? 0 : console_register(vmi::console_in_state);
}

std::size_t console_room() {
  return ring_space(rings().console_out);
}

void console_show(char c) {
  (void)ring_put(rings().console_out, Source(reinterpret_cast<const std::uint8_t*>(&c)), 1);
}

void console_shown() {
  std::size_t refused = 0;
  (void)flush(rings().console_out, vmi::console_flush_out, refused);
}

Result<> open_console_streams(FileTable& files) {
  serve_interrupt(vmi::irq_console, console_interrupt);
  Ref<Inode> inode = TRY(console_inode());
  for (int stream : {stream_in, stream_out, stream_err})
    if (!(boot_info().closed_streams >> stream & 1))
      TRY(files.install_at(stream, TRY(open_stream(inode, stream)), FileTable::limit));
  return {};
}

Result<Ref<File>> open_console(Ref<Inode> inode, std::uint32_t flags) {
  if (has_terminal()) return open_terminal_file(std::move(inode), flags);
  int about = is_terminal(stream_in) ? stream_in : stream_out;
  return Ref<File>(TRY(make_ref<ConsoleFile>(std::move(inode), flags, stream_out, about)));
}

Result<Ref<File>> open_terminal(Ref<Inode> inode, std::uint32_t flags) {
  if (has_terminal()) {
    if (!on_terminal(current_process())) return Errno::nxio;
    return open_terminal_file(std::move(inode), flags | abi::o_noctty);
  }
  if (!is_terminal(stream_in) && !is_terminal(stream_out)) return Errno::nxio;
  return open_console(std::move(inode), flags);
}

}  // namespace guest
