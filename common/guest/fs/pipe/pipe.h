// Pipe: a ring of 64 KiB between the writers and the readers of a pipe or FIFO.
//
// The ring's first bytes lie in the pipe object, so that small messages never leave the window:
// a pipe that runs empty starts again at the front. The rest lies in page frames, taken when a
// write first gets that far and kept until the pipe goes.
#pragma once

#include "guest/heap/make.h"
#include "guest/sched/wait_queue.h"
#include "guest/vfs/inode.h"

namespace guest {

class Pipe : public Counted, public Allocated<HeapKind::file> {
 public:
  static constexpr std::uint32_t capacity = 64 * 1024;

  Pipe();
  ~Pipe();

  /// Blocks while there is nothing to read but a writer. 0: end of file.
  Result<std::size_t> read(UserAddress to, std::size_t bytes, bool nonblocking);
  /// Blocks while the ring is full; up to PIPE_BUF bytes go in at once or not at all. EPIPE: no
  /// reader is left (the system call adds the signal).
  Result<std::size_t> write(Source from, std::size_t bytes, bool nonblocking);

  // -- For splice and tee, which move bytes without user memory.
  /// Waits for bytes that nobody else is taking. false: end of file. EAGAIN, EINTR.
  Result<bool> wait_for_bytes(bool nonblocking);
  /// Waits until a PIPE_BUF fits. EPIPE, EAGAIN, EINTR.
  Result<> wait_for_room(bool nonblocking);
  /// Copies what begins `skip` bytes behind the oldest; it stays. How many.
  std::size_t peek(std::uint32_t skip, std::uint8_t* to, std::size_t bytes);
  /// The oldest `bytes`, at most used(), are gone.
  void drop(std::uint32_t bytes);
  [[nodiscard]] bool is_taken() const { return is_taken_; }
  /// While it lives other readers wait: what is peeked stays the oldest until it has arrived.
  class Taking {
   public:
    explicit Taking(Pipe& pipe) : pipe_(pipe) { pipe_.is_taken_ = true; }
    ~Taking();
    Taking(const Taking&) = delete;
    Taking& operator=(const Taking&) = delete;

   private:
    Pipe& pipe_;
  };

  [[nodiscard]] std::uint32_t used() const { return used_; }
  [[nodiscard]] std::uint32_t space() const { return capacity - used_; }

  void add_reader();
  void add_writer();
  void drop_reader();
  void drop_writer();
  [[nodiscard]] std::uint32_t readers() const { return readers_; }
  [[nodiscard]] std::uint32_t writers() const { return writers_; }
  /// Ever since: a FIFO's opener waits for its partner, who may be gone again when it wakes.
  std::uint32_t readers_seen = 0, writers_seen = 0;
  WaitQueue opened;

  /// Of both ends: readers hear of POLLIN and POLLHUP, writers of POLLOUT and POLLERR.
  WaitQueue events;

 private:
  static constexpr std::uint32_t slots = capacity / vmi::page_size;
  static constexpr std::uint32_t near_bytes = 512;
  static constexpr Frame no_frame = UINT32_MAX;

  /// A stretch of the ring that lies in one place.
  struct Segment {
    std::uint8_t* near;  // in the window, or null:
    Frame frame;
    std::uint32_t offset, bytes;
  };
  Segment segment(std::uint32_t at, std::uint32_t bytes);
  Result<> reserve(std::uint32_t at, std::uint32_t bytes);
  Result<std::size_t> take(UserAddress to, std::size_t bytes);
  Result<std::size_t> put(Source from, std::size_t bytes);

  std::uint32_t first_ = 0;  // ring offset of the oldest byte
  std::uint32_t used_ = 0;
  std::uint32_t readers_ = 0, writers_ = 0;
  bool is_taken_ = false;  // see Taking
  Frame frames_[slots];
  std::uint8_t near_[near_bytes];
};

/// One end (or both, a FIFO opened for reading and writing) as an open file.
class PipeFile final : public File {
 public:
  /// `writers_before`: Pipe::writers_seen, if their absence is no hang-up yet.
  PipeFile(Ref<Inode> inode, std::uint32_t flags, Ref<Pipe> pipe, std::uint32_t writers_before = 0);
  ~PipeFile() override;
  static constexpr char tag = 0;
  [[nodiscard]] const void* class_tag() const override { return &tag; }
  [[nodiscard]] const Ref<Pipe>& pipe() const { return pipe_; }
  Result<std::size_t> read(UserAddress to, std::size_t bytes) override;
  Result<std::size_t> write(Source from, std::size_t bytes) override;
  Result<std::int64_t> ioctl(std::uint32_t request, std::uint64_t argument) override;
  std::uint32_t poll_state() override;
  WaitQueue* events() override { return &pipe_->events; }
  [[nodiscard]] bool seekable() const override { return false; }

 private:
  [[nodiscard]] bool reads() const;
  [[nodiscard]] bool writes() const;
  Ref<Pipe> pipe_;
  std::uint32_t writers_before_;
};

struct PipeEnds {
  Ref<File> reader, writer;
};
/// pipe2: `flags` may hold O_NONBLOCK.
Result<PipeEnds> make_pipe(std::uint32_t flags);

}  // namespace guest
