// /proc/PID/limits, io, oom_score_adj and oom_score: what a process may use, and how much the
// kernel wants it to live.
#include "guest/fs/proc/process.h"
#include "guest/proc/out_of_memory.h"

namespace guest {
namespace {

struct LimitLine {
  const char *name, *unit;  // padded as Linux does
};
constexpr LimitLine limit_lines[abi::resource_limits] = {
    {"Max cpu time             ", "seconds   "}, {"Max file size            ", "bytes     "},
    {"Max data size            ", "bytes     "}, {"Max stack size           ", "bytes     "},
    {"Max core file size       ", "bytes     "}, {"Max resident set         ", "bytes     "},
    {"Max processes            ", "processes "}, {"Max open files           ", "files     "},
    {"Max locked memory        ", "bytes     "}, {"Max address space        ", "bytes     "},
    {"Max file locks           ", "locks     "}, {"Max pending signals      ", "signals   "},
    {"Max msgqueue size        ", "bytes     "}, {"Max nice priority        ", "          "},
    {"Max realtime priority    ", "          "}, {"Max realtime timeout     ", "us        "},
};

Result<> add_limit(String& text, std::uint64_t limit) {
  constexpr std::string_view blanks = "                     ";  // of a column
  const std::size_t before = text.size();
  if (limit == abi::unlimited)
    TRY(text.append("unlimited"));
  else
    TRY(add(text, "%lu", limit));
  const std::size_t length = text.size() - before;
  return text.append(blanks.substr(length < blanks.size() ? length : blanks.size() - 1));
}

}  // namespace

Result<String> process_limits(Thread& thread) {
  String text = TRY(String::from(
      "Limit                     Soft Limit           Hard Limit           Units     \n"));
  for (std::uint32_t i = 0; i < abi::resource_limits; ++i) {
    const abi::ResourceLimit& limit = thread.process.limits[i];
    TRY(add(text, "%s ", limit_lines[i].name));
    TRY(add_limit(text, limit.current));
    TRY(add_limit(text, limit.maximum));
    TRY(add(text, "%s\n", limit_lines[i].unit));
  }
  return text;
}

Result<String> process_io(Thread&) {
  return String::from(
      "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\n"
      "cancelled_write_bytes: 0\n");
}

Result<String> process_oom_score_adj(Thread& thread) {
  String line;
  TRY(add(line, "%d\n", thread.process.oom_score_adj));
  return line;
}

Result<> set_oom_score_adj(Thread& thread, std::string_view text) {
  constexpr int most = 1000;
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  auto number = proc_number_in(text, most + 1);
  if (!number.ok()) return Errno::inval;
  const int wanted = negative ? -number.value() : number.value();
  if (current_thread().credentials.euid == 0)
    thread.process.least_oom_score_adj = wanted;
  else if (wanted < thread.process.least_oom_score_adj)
    return Errno::acces;
  thread.process.oom_score_adj = wanted;
  return {};
}

Result<String> process_oom_score(Thread& thread) {
  String line;
  TRY(add(line, "%lu\n", oom_score(thread.process)));
  return line;
}

}  // namespace guest
