// The console device; see console.h for its protocol.
#include "devices/console.h"

#include <asm-generic/errno.h>

namespace devices {

namespace {
constexpr std::int64_t end_of_file = 1;
constexpr int interrupted_attempts = 16;
}  // namespace

Console::Console(ConsolePort port, InterruptLine line, vmi::Rings& rings)
    : port_(port),
      line_(line),
      out_{RingEnd(rings.console_out), ConsolePort::output},
      err_{RingEnd(rings.console_err), ConsolePort::errors},
      in_(rings.console_in) {}

std::uint64_t Console::read(std::uint32_t offset) {
  switch (offset) {
    case vmi::console_flush_out:
      return static_cast<std::uint64_t>(out_.status);
    case vmi::console_flush_err:
      return static_cast<std::uint64_t>(err_.status);
    case vmi::console_in_state:
      return static_cast<std::uint64_t>(input_state_);
    default:
      return 0;
  }
}

void Console::write(std::uint32_t offset, std::uint64_t) {
  switch (offset) {
    case vmi::console_flush_out:
      return drain(out_);
    case vmi::console_flush_err:
      return drain(err_);
    case vmi::console_fill_in:
      return fill();
    default:
      return;
  }
}

void Console::poll() {
  retry(out_);
  retry(err_);
  if (input_armed_) fill();
}

void Console::wait_for(Waits& waits) const {
  for (const Output* output : {&out_, &err_}) {
    if (output->blocked) waits.add(output->stream, Waits::writable);
  }
  if (input_armed_) waits.add(ConsolePort::input, Waits::readable);
}

void Console::retry(Output& output) {
  if (!output.blocked) return;
  drain(output);
  if (!output.blocked) line_.raise();
}

void Console::drain(Output& output) {
  output.status = 0;
  output.blocked = false;
  if (!output.ring.sane()) {
    output.ring.reset_as_consumer();
    output.status = -EIO;
  }
  int interrupted = 0;
  std::uint32_t done = 0;
  while (output.status == 0) {
    RingSpan span = output.ring.readable();
    if (span.bytes == 0) return;
    if (done >= output.ring.capacity()) {  // a guest that runs beside fills it again and again
      output.blocked = true;
      return;
    }
    std::int64_t written = port_.write(output.stream, span.data, span.bytes);
    if (written > 0 && written <= span.bytes) {
      done += static_cast<std::uint32_t>(written);
      output.ring.consume(static_cast<std::uint32_t>(written));
    } else if (written == -EINTR && ++interrupted < interrupted_attempts) {
      continue;
    } else if (written == 0 || written == -EAGAIN || written == -EINTR) {
      output.blocked = true;
      return;
    } else {
      output.status = written < 0 ? written : -EIO;
    }
  }
}

void Console::fill() {
  if (!in_.sane()) in_.reset_as_producer();
  input_armed_ = false;
  input_state_ = 0;
  RingSpan span = in_.writable();
  if (span.bytes != 0) {
    // One attempt only: an end of file after these bytes is for the next fill to find.
    std::int64_t got = port_.read(span.data, span.bytes);
    if (got == -EAGAIN || got == -EINTR) {
      input_armed_ = true;
      return;
    }
    if (got > 0 && got <= span.bytes) {
      in_.produce(static_cast<std::uint32_t>(got));
    } else {
      input_state_ = got == 0 ? end_of_file : got < 0 ? got : -EIO;
    }
  }
  line_.raise();
}

}  // namespace devices
