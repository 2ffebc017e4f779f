// The kernel's diagnostics: lines on the console's error stream. For what a guest program cannot be
// told by an errno; never on a path that is measured.
#pragma once

#include <cstdarg>
#include <string_view>

namespace guest {

/// printf's %s %.*s %c %d %u %o %x %p %%, with l, ll and z, width and 0. A line should end in "\n".
[[gnu::format(printf, 1, 2)]] void log(const char* format, ...);
/// The same into `to`, always NUL-terminated. Returns the length it has, cut to capacity - 1.
[[gnu::format(printf, 3, 4)]] unsigned long format_text(char* to, unsigned long capacity,
                                                        const char* format, ...);

[[gnu::format(printf, 3, 0)]] unsigned long format_text_list(char* to, unsigned long capacity,
                                                             const char* format,
                                                             std::va_list& arguments);

/// Where log() goes. Until the console driver takes over, straight to the error ring.
using LogSink = void (*)(std::string_view text);
void set_log_sink(LogSink sink);

}  // namespace guest
