// See trace_line.h. Called by trace.cpp alone.
#include "guest/syscall/trace_line.h"

#include <cstdarg>

#include "guest/abi/file_flags.h"
#include "guest/base/log.h"

namespace guest {

namespace {

// By number, as both count on from 0.
constexpr const char* error_names[] = {
    "OK",      "EPERM",  "ENOENT",  "ESRCH",   "EINTR",        "EIO",    "ENXIO",  "E2BIG",
    "ENOEXEC", "EBADF",  "ECHILD",  "EAGAIN",  "ENOMEM",       "EACCES", "EFAULT", "ENOTBLK",
    "EBUSY",   "EEXIST", "EXDEV",   "ENODEV",  "ENOTDIR",      "EISDIR", "EINVAL", "ENFILE",
    "EMFILE",  "ENOTTY", "ETXTBSY", "EFBIG",   "ENOSPC",       "ESPIPE", "EROFS",  "EMLINK",
    "EPIPE",   "EDOM",   "ERANGE",  "EDEADLK", "ENAMETOOLONG", "ENOLCK", "ENOSYS", "ENOTEMPTY",
    "ELOOP",   nullptr,  "ENOMSG",  "EIDRM"};
constexpr int first_socket_error = 88;
constexpr const char* socket_error_names[] = {
    "ENOTSOCK",        "EDESTADDRREQ",    "EMSGSIZE",   "EPROTOTYPE",   "ENOPROTOOPT",
    "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EOPNOTSUPP", "EPFNOSUPPORT", "EAFNOSUPPORT",
    "EADDRINUSE",      "EADDRNOTAVAIL",   "ENETDOWN",   "ENETUNREACH",  "ENETRESET",
    "ECONNABORTED",    "ECONNRESET",      "ENOBUFS",    "EISCONN",      "ENOTCONN",
    "ESHUTDOWN",       "ETOOMANYREFS",    "ETIMEDOUT",  "ECONNREFUSED", "EHOSTDOWN",
    "EHOSTUNREACH",    "EALREADY",        "EINPROGRESS"};
constexpr const char* signal_names[] = {
    "0",         "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
    "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
    "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
    "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};

template <std::size_t N>
const char* name_at(const char* const (&names)[N], std::uint64_t index) {
  return index < N ? names[index] : nullptr;
}

const char* error_name(Errno error) {
  switch (error) {
    case Errno::nodata:
      return "ENODATA";
    case Errno::overflow:
      return "EOVERFLOW";
    case Errno::libbad:
      return "ELIBBAD";
    case Errno::proto:
      return "EPROTO";
    default:
      break;
  }
  const int number = static_cast<int>(error);
  return number < first_socket_error ? name_at(error_names, number)
                                     : name_at(socket_error_names, number - first_socket_error);
}

constexpr std::uint64_t large = 1ul << 32;  // no int, whatever the call

}  // namespace

void TraceLine::put(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  used_ += format_text_list(text_ + used_, capacity - used_, format, arguments);
  va_end(arguments);
}

void TraceLine::put_char(char c) {
  if (used_ + 1 < capacity) text_[used_++] = c;
}

void TraceLine::put_error(Errno error) {
  if (is_restart(error)) return put("? (interrupted by a signal)");
  if (const char* name = error_name(error)) return put("-1 %s", name);
  put("-1 (error %d)", static_cast<int>(error));
}

void TraceLine::put_address(std::uint64_t value) {
  if (value)
    put("0x%lx", value);
  else
    put("NULL");
}

template <std::size_t N>
void TraceLine::put_flags(const FlagName (&names)[N], std::uint64_t value) {
  bool first = true;
  for (const FlagName& flag : names) {
    if ((value & flag.bits) != flag.bits) continue;
    put("%s%s", first ? "" : "|", flag.name);
    value &= ~flag.bits;
    first = false;
  }
  if (value || first) put("%s0x%lx", first ? "" : "|", value);
}

void TraceLine::put_open_flags(std::uint64_t value) {
  static constexpr FlagName names[] = {
      {abi::o_creat, "O_CREAT"},         {abi::o_excl, "O_EXCL"},
      {abi::o_noctty, "O_NOCTTY"},       {abi::o_trunc, "O_TRUNC"},
      {abi::o_append, "O_APPEND"},       {abi::o_nonblock, "O_NONBLOCK"},
      {abi::o_directory, "O_DIRECTORY"}, {abi::o_nofollow, "O_NOFOLLOW"},
      {abi::o_cloexec, "O_CLOEXEC"},     {abi::o_path, "O_PATH"}};
  static constexpr const char* access[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
  put("%s", access[value & abi::o_access]);
  value &= ~static_cast<std::uint64_t>(abi::o_access | abi::o_largefile);
  if (!value) return;
  put_char('|');
  put_flags(names, value);
}

void TraceLine::put_signal(std::uint64_t number) {
  if (const char* name = name_at(signal_names, number)) return put("%s", name);
  put("%d", static_cast<int>(number));
}

void TraceLine::put_number(char letter, std::uint64_t value) {
  static constexpr FlagName protections[] = {{1, "PROT_READ"}, {2, "PROT_WRITE"}, {4, "PROT_EXEC"}};
  static constexpr FlagName mappings[] = {
      {1, "MAP_SHARED"},         {2, "MAP_PRIVATE"},
      {0x10, "MAP_FIXED"},       {0x20, "MAP_ANONYMOUS"},
      {0x4000, "MAP_NORESERVE"}, {0x8000, "MAP_POPULATE"},
      {0x20000, "MAP_STACK"},    {0x100000, "MAP_FIXED_NOREPLACE"}};
  static constexpr const char* whences[] = {"SEEK_SET", "SEEK_CUR", "SEEK_END"};
  static constexpr const char* hows[] = {"SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK"};
  int number = static_cast<int>(value);
  switch (letter) {
    case 'D':
      if (number == abi::at_fdcwd) return put("AT_FDCWD");
      return put("%d", number);
    case 'f':
      return put("%d", number);
    case 'd':
      return value >= large && value < 0 - large ? put_address(value) : put("%d", number);
    case 'u':
      return put("%lu", value);
    case 'o':
      return put("0%o", static_cast<unsigned>(value));
    case 'p':
      return put_address(value);
    case 'F':
      return put_open_flags(value & 0xffff'ffff);
    case 'P':
      return value ? put_flags(protections, value) : put("PROT_NONE");
    case 'M':
      return put_flags(mappings, value);
    case 'S':
      return put_signal(value);
    case 'w':
      if (const char* name = name_at(whences, value)) return put("%s", name);
      return put("%d", number);
    case 'H':
      if (const char* name = name_at(hows, value)) return put("%s", name);
      return put("%d", number);
    default:
      return put("0x%lx", value);
  }
}

void TraceLine::put_quoted(const char* text, std::size_t bytes, bool whole) {
  put_char('"');
  for (std::size_t i = 0; i < bytes; ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n')
      put("\\n");
    else if (c == '\t')
      put("\\t");
    else if (c == '"' || c == '\\')
      put("\\%c", c);
    else if (c >= ' ' && c < 0x7f)
      put_char(static_cast<char>(c));
    else
      put("\\x%02x", static_cast<unsigned>(c));
  }
  put("%s", whole ? "\"" : "\"...");
}

void TraceLine::put_bytes(UserAddress from, std::uint64_t bytes) {
  char start[most_bytes];
  std::size_t shown = bytes < most_bytes ? bytes : most_bytes;
  if (!from || !copy_from_user(start, from, shown).ok()) return put_address(from.value);
  put_quoted(start, shown, shown == bytes);
}

// Byte by byte: the next page may not be there, and need not.
void TraceLine::put_string(UserAddress from) {
  char start[most_bytes];
  std::size_t length = 0;
  for (; length < most_bytes; ++length) {
    if (!copy_from_user(start + length, from + length, 1).ok()) return put_address(from.value);
    if (start[length] == '\0') return put_quoted(start, length, true);
  }
  put_quoted(start, length, false);
}

void TraceLine::put_vector(UserAddress from) {
  put_char('[');
  for (std::size_t i = 0;; ++i) {
    auto text = get_user<std::uint64_t>(from + i * sizeof(std::uint64_t));
    if (!text.ok() || text.value() == 0) break;
    if (i != 0) put(", ");
    if (i == most_strings) {
      put("...");
      break;
    }
    put_string(UserAddress{text.value()});
  }
  put_char(']');
}

void TraceLine::put_pair(UserAddress from) {
  auto first = get_user<std::int32_t>(from), second = get_user<std::int32_t>(from + 4);
  if (!first.ok() || !second.ok()) return put_address(from.value);
  put("[%d, %d]", first.value(), second.value());
}

void TraceLine::put_wait_status(UserAddress from) {
  auto status = get_user<std::int32_t>(from);
  if (!status.ok()) return put_address(from.value);
  put("[0x%x]", static_cast<unsigned>(status.value()));
}

void TraceLine::end() {
  text_[used_++] = '\n';  // put() leaves room for it, where format_text_list wants a NUL
}

}  // namespace guest
