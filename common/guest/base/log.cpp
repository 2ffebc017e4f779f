// log and format_text: see the header. Called from anywhere in kernel mode.
#include "guest/base/log.h"

#include <cstdint>

#include "guest/platform.h"

namespace guest {

namespace {

class Output {
 public:
  Output(char* to, unsigned long capacity) : to_(to), capacity_(capacity) {}
  void put(char c) {
    if (size_ + 1 < capacity_) to_[size_++] = c;
  }
  void put(std::string_view text, unsigned long width, char fill) {
    for (unsigned long i = text.size(); i < width; ++i) put(fill);
    for (char c : text) put(c);
  }
  unsigned long finish() {
    if (capacity_) to_[size_] = '\0';
    return size_;
  }

 private:
  char* to_;
  unsigned long capacity_;
  unsigned long size_ = 0;
};

struct Spec {
  unsigned long width = 0;
  unsigned long precision = ~0ul;
  bool zero = false;
  bool wide = false;  // l, ll, z
  char kind = 0;
};

Spec parse_spec(const char*& format, std::va_list& arguments) {
  Spec spec;
  for (; *format == '0'; ++format) spec.zero = true;
  for (; *format >= '0' && *format <= '9'; ++format) spec.width = spec.width * 10 + (*format - '0');
  if (*format == '.') {
    ++format;
    if (*format == '*') {
      spec.precision = static_cast<unsigned long>(va_arg(arguments, int));
      ++format;
    }
  }
  for (; *format == 'l' || *format == 'z'; ++format) spec.wide = true;
  if (*format) spec.kind = *format++;
  return spec;
}

void put_number(Output& out, const Spec& spec, std::uint64_t value, bool negative) {
  char digits[24];
  char* begin = digits + sizeof digits;
  unsigned base = spec.kind == 'x' || spec.kind == 'p' ? 16 : spec.kind == 'o' ? 8 : 10;
  do *--begin = "0123456789abcdef"[value % base];
  while (value /= base);
  if (negative) *--begin = '-';
  std::string_view text(begin, static_cast<unsigned long>(digits + sizeof digits - begin));
  out.put(text, spec.width, spec.zero ? '0' : ' ');
}

void put_argument(Output& out, const Spec& spec, std::va_list& arguments) {
  switch (spec.kind) {
    case 'c':
      return out.put(static_cast<char>(va_arg(arguments, int)));
    case 's': {
      const char* text = va_arg(arguments, const char*);
      unsigned long length = 0;
      while (length < spec.precision && text[length]) ++length;
      return out.put({text, length}, spec.width, ' ');
    }
    case 'd': {
      std::int64_t value = spec.wide ? va_arg(arguments, long) : va_arg(arguments, int);
      auto magnitude = static_cast<std::uint64_t>(value);
      return put_number(out, spec, value < 0 ? -magnitude : magnitude, value < 0);
    }
    case 'u':
    case 'o':
    case 'x':
      return put_number(out, spec,
                        spec.wide ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned),
                        false);
    case 'p':
      return put_number(out, spec, va_arg(arguments, std::uint64_t), false);
    default:
      return out.put(spec.kind);  // %% and mistakes
  }
}

/// Early boot: what fits into the ring; the rest is lost rather than waited for.
void log_to_ring(std::string_view text) {
  auto& ring = rings().console_err;
  for (char c : text) {
    if (ring.head - ring.tail == ring.capacity) break;
    ring.data[ring.head % ring.capacity] = static_cast<std::uint8_t>(c);
    ++ring.head;
  }
  hypercalls().device_write(vmi::console_place.bus_base + vmi::console_flush_err, 1);
}

constinit LogSink log_sink = log_to_ring;

}  // namespace

unsigned long format_text_list(char* to, unsigned long capacity, const char* format,
                               std::va_list& arguments) {
  Output out(to, capacity);
  while (*format) {
    if (*format != '%') {
      out.put(*format++);
      continue;
    }
    ++format;
    Spec spec = parse_spec(format, arguments);
    put_argument(out, spec, arguments);
  }
  return out.finish();
}

void set_log_sink(LogSink sink) {
  log_sink = sink;
}

void log(const char* format, ...) {
  char line[256];
  std::va_list arguments;
  va_start(arguments, format);
  unsigned long length = format_text_list(line, sizeof line, format, arguments);
  va_end(arguments);
  log_sink({line, length});
}

unsigned long format_text(char* to, unsigned long capacity, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  unsigned long length = format_text_list(to, capacity, format, arguments);
  va_end(arguments);
  return length;
}

}  // namespace guest
