// See trace.h. Called by dispatch, and as an observer of processes, on the current thread's kernel
// stack, where a line is put together; it may block on the console like a write of the program's
// own.
#include "guest/syscall/trace.h"

#include "guest/abi/file_flags.h"
#include "guest/drivers/console.h"
#include "guest/proc/process.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/trace_arguments.h"
#include "guest/syscall/trace_line.h"

namespace guest {

namespace {

struct Described {
  const char* name = nullptr;
  const char* letters = "xxxxxx";
};
struct Descriptions {
  static constexpr std::size_t size = 512;
  Described of[size] = {};
};

enum Number : std::uint32_t {
#define X(number, name, support, note) number_##name = number,
  GUEST_SYSCALLS(X)
#undef X
};

constexpr Descriptions describe_all() {
  Descriptions all;
#define X(number, name_, support, note) all.of[number].name = #name_;
  GUEST_SYSCALLS(X)
#undef X
#define X(name, letters_) all.of[number_##name].letters = letters_;
  TRACE_ARGUMENTS(X)
#undef X
  return all;
}

constexpr Descriptions descriptions = describe_all();

/// What only the finished call has put there.
bool is_answer(char letter) {
  return letter == 'B' || letter == 'i' || letter == 't' || letter == 'W';
}

/// One call's line: what can be said before it is made, then the rest.
class TracedCall {
 public:
  TracedCall(std::uint64_t number, const Args& args) : args_(args) {
    line_.put("[%d] ", current_process().pid);
    if (number < Descriptions::size) described_ = descriptions.of[number];
    if (described_.name)
      line_.put("%s(", described_.name);
    else
      line_.put("syscall_%lu(", number);
    for (; more() && !is_answer(*letter()); ++at_) put_argument(0);
    if (*letter() == '!') finish_without_return();
  }

  void finish(const Result<std::int64_t>& result) {
    for (; more(); ++at_) put_argument(result.ok() ? result.value() : -1);
    line_.put(") = ");
    if (!result.ok())
      line_.put_error(result.error());
    else if (*letter() == '@')
      line_.put_address(static_cast<std::uint64_t>(result.value()));
    else
      line_.put("%ld", result.value());
    print();
  }

 private:
  [[nodiscard]] const char* letter() const { return described_.letters + at_; }
  [[nodiscard]] bool more() const {
    return *letter() != '\0' && *letter() != '!' && *letter() != '@';
  }
  void finish_without_return() {
    line_.put(") = ?");
    print();
  }
  void print() {
    line_.end();
    console_write_error(line_.view());
  }
  void put_argument(std::int64_t result);

  const Args& args_;
  Described described_;
  std::size_t at_ = 0;
  TraceLine line_;
};

/// A negative `result`: the call failed, and what it would have put there is not shown.
void TracedCall::put_argument(std::int64_t result) {
  if (at_ != 0) line_.put(", ");
  int i = static_cast<int>(at_);
  if (is_answer(*letter()) && result < 0) return line_.put_address(args_.u64(i));
  switch (*letter()) {
    case 'b':
      return line_.put_bytes(args_.user(i), args_.u64(i + 1));
    case 'B':
      return line_.put_bytes(args_.user(i), static_cast<std::uint64_t>(result));
    case 's':
    case 't':
      return line_.put_string(args_.user(i));
    case 'a':
      return line_.put_vector(args_.user(i));
    case 'i':
      return line_.put_pair(args_.user(i));
    case 'W':
      return line_.put_wait_status(args_.user(i));
    default:
      return line_.put_number(*letter(), args_.u64(i));
  }
}

}  // namespace

Result<std::int64_t> call_traced(Handler handler, std::uint64_t number, const Args& args) {
  TracedCall call(number, args);
  Result<std::int64_t> result = handler ? handler(args) : Errno::nosys;
  call.finish(result);
  return result;
}

namespace {

class TraceObserver final : public ProcessObserver {
 public:
  void signal_taken(int signal) override {
    if (!tracing()) return;
    TraceLine line;
    line.put("[%d] --- ", current_process().pid);
    line.put_number('S', static_cast<std::uint64_t>(signal));
    line.put(" ---");
    line.end();
    console_write_error(line.view());
  }

  void process_ends(const Process& process, int wait_status) override {
    if (!tracing()) return;
    TraceLine line;
    int signal = wait_status & 0x7f;
    line.put("[%d] +++ ", process.pid);
    if (signal) {
      line.put("killed by ");
      line.put_number('S', static_cast<std::uint64_t>(signal));
    } else {
      line.put("exited with %d", wait_status >> 8 & 0xff);
    }
    line.put(" +++");
    line.end();
    console_write_error(line.view());
  }
};

constinit TraceObserver observer;

}  // namespace

ProcessObserver& trace_observer() {
  return observer;
}

}  // namespace guest
