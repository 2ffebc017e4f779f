// The generator behind system_calls.h: each known call has a shape, a letter for each argument; an
// unknown one gets anything. One argument in eight is not what its letter says.
#include "system_calls.h"

#include <cstring>

#include "shapes.h"
#include "vmi/address_map.h"

namespace fuzz {

namespace {

constexpr std::string_view paths[] = {
    "a",          "b",         "c",           "d",           "d/a",
    "d/b",        "d/e",       "d/e/a",       "d/e/f",       "l",
    "d/l",        ".",         "..",          "d/..",        "d/.",
    "",           "/",         "a/",          "d//a",        "a/b",
    "/proc",      "/dev/null", "/dev/zero",   "/dev/full",   "/dev/tty",
    "/proc/self", "/dev/fd/3", "/dev/random", "/dev",        "/nowhere/a",
    "/proc/stat", "/tmp/fuzz", "/proc/1",     "/proc/mounts"};
constexpr std::string_view proc_files[] = {"maps",    "status", "stat",   "fd",      "fd/3",
                                           "cmdline", "statm",  "mounts", "environ", "comm"};

constexpr std::uint64_t hostile_numbers[] = {
    0,
    1,
    4095,
    4096,
    4097,
    0x7fff'ffff,
    0x8000'0000,
    0xffff'ffff,
    0x1'0000'0000,
    0x1'0000'0001,
    0x1000'0000'0000,
    0x7fff'ffff'ffff'ffff,
    0x8000'0000'0000'0000,
    0xffff'ffff'ffff'ffff,
    0xffff'ffff'ffff'f001,
    0x7fff'ffff'f000,
    0xffff'8000'0000'0000,
    0xffff'ffff'ff60'0000,
    vmi::trampolines_low,
    vmi::user_begin - 1,
    vmi::user_begin,
    vmi::user_end - 1,
    vmi::user_end,
    vmi::user_end - vmi::user_begin,
    vmi::trampolines_high,
    vmi::gate_base,
    vmi::gate_base + vmi::page_size,
    vmi::alt_stack_base,
    vmi::alt_stack_base + vmi::alt_stack_size - 8,
    vmi::window_base,
    vmi::window_base + 0x1000,
    vmi::resident_base,
    vmi::kernel_base,
    vmi::window_end - 1,
    vmi::attic_base,
    vmi::attic_slab(1) + 0x1000,
    vmi::attic_base + vmi::attic_slab_bytes - 8,
    vmi::ram_base,
};

constexpr std::uint64_t lengths[] = {0,   1,    2,    3,    7,    8,     16,    64,    255,
                                     512, 4095, 4096, 4097, 8192, 12288, 65536, 100000};
constexpr std::uint64_t page_counts[] = {1, 1, 1, 2, 3, 4, 8, 16, 17, 64, 65, 200, 512};

std::uint64_t bits(Choices& c, std::uint64_t among) {
  std::uint64_t chosen = 0;
  for (std::uint64_t n = c.below(4); n > 0; --n) chosen |= 1ull << c.below(64);
  return c.one_in(3) ? 0 : c.one_in(8) ? chosen : c.next() & c.next() & among;
}

std::uint64_t some_address(Choices& c) {
  if (c.one_in(16)) return hostile_number(c) + c.below(3) - 1;
  std::uint64_t page = arena + c.below(arena_pages) * vmi::page_size;
  if (c.one_in(4)) page = churn + c.below(churn_pages / 4) * vmi::page_size;
  if (c.one_in(4)) return page + vmi::page_size - c.below(17);  // reaches over the edge
  return page + (c.one_in(2) ? 0 : c.below(vmi::page_size));
}

std::uint64_t some_descriptor(Choices& c) {
  constexpr std::uint64_t strange[] = {~0ull,       1023,        1024,         0x7fff'ffff,
                                       0x8000'0000, 0xffff'ff9c, 0x1'0000'0003};
  if (c.one_in(24)) return c.of(strange);
  return c.one_in(4) ? c.below(48) : 3 + c.below(12);
}

/// Where structures are built: each argument has its own place, all anywhere in the arena.
class Arguments {
 public:
  Arguments(Choices& choices, Surroundings& around) : c(choices), around(around) {}

  std::uint64_t of(char letter);

 private:
  std::uint64_t stored(const void* bytes, std::size_t count) {
    if (c.one_in(16)) return some_address(c);
    std::uint64_t at = some_address(c);
    // Now and then the structure ends with its page.
    if (c.one_in(4)) at = (at | (vmi::page_size - 1)) + 1 - count;
    around.store(at, bytes, count);
    return at;
  }
  template <class T>
  std::uint64_t stored(const T& value) {
    return stored(&value, sizeof value);
  }

  std::uint64_t path();
  std::uint64_t strings();
  std::uint64_t io_vector();
  std::uint64_t polled();
  std::uint64_t structure();
  std::uint64_t action();
  std::uint64_t times(bool nanoseconds, int pairs);
  std::uint64_t mapping_flags();
  std::uint64_t clone_flags();
  std::uint64_t scalar(char letter);

  Choices& c;
  Surroundings& around;
};

std::uint64_t Arguments::path() {
  char text[512];
  if (c.one_in(32)) {  // long names, and longer
    std::size_t size = c.one_in(2) ? 255 : 256 + c.below(200);
    std::memset(text, 'n', size);
    text[size] = 0;
    return stored(text, size + 1);
  }
  std::string_view name = random_path(c);
  std::memcpy(text, name.data(), name.size());
  text[name.size()] = 0;
  return stored(text, name.size() + 1);
}

std::uint64_t Arguments::strings() {
  std::uint64_t array[8] = {};
  for (std::uint64_t i = c.below(8); i > 0; --i) array[i - 1] = path();
  return c.one_in(6) ? 0 : stored(array);
}

std::uint64_t Arguments::io_vector() {
  std::uint64_t vector[16];
  for (int i = 0; i < 16; i += 2) {
    vector[i] = some_address(c);
    vector[i + 1] = c.one_in(12) ? hostile_number(c) : c.of(lengths);
  }
  return stored(vector);
}

std::uint64_t Arguments::polled() {
  struct {
    std::int32_t fd;
    std::int16_t events, revents;
  } files[8];
  for (auto& file : files)
    file = {static_cast<std::int32_t>(some_descriptor(c)), static_cast<std::int16_t>(c.next()), 0};
  return stored(files);
}

/// Something that calls read as a structure: small numbers, pointers, noise.
std::uint64_t Arguments::structure() {
  std::uint64_t words[16];
  for (auto& word : words) {
    word = c.below(4);
    if (c.one_in(3)) word = c.next();
    if (c.one_in(4)) word = some_address(c);
    if (c.one_in(8)) word = hostile_number(c);
  }
  return c.one_in(8) ? 0 : stored(words);
}

std::uint64_t Arguments::action() {
  struct {
    std::uint64_t handler, flags, restorer, mask;
  } action = {around.handler, 0x0400'0000 | bits(c, 0xdc00'0007), around.restorer, 0};
  if (c.one_in(4)) action.handler = c.below(2);
  if (c.one_in(12)) action.handler = some_address(c);
  if (c.one_in(12)) action.restorer = some_address(c);
  if (c.one_in(4)) action.mask = c.next() & c.next();
  return c.one_in(6) ? 0 : stored(action);
}

/// `pairs` of seconds and parts: short, so that what sleeps wakes.
std::uint64_t Arguments::times(bool nanoseconds, int pairs) {
  std::uint64_t time[4] = {};
  for (int i = 0; i < 2 * pairs; i += 2) {
    time[i + 1] = c.below(nanoseconds ? 2'000'000 : 2'000);
    if (c.one_in(4)) time[i + 1] = c.below(3);
    if (c.one_in(24)) time[i + 1] = hostile_number(c);
    if (c.one_in(24)) time[i] = hostile_number(c);
  }
  return c.one_in(6) ? 0 : stored(time, 16 * static_cast<std::size_t>(pairs));
}

std::uint64_t Arguments::mapping_flags() {
  // Shared, private, validated; fixed, anonymous, to be populated, not to be reserved.
  constexpr std::uint64_t common[] = {0x22, 0x22, 0x21, 0x32,   0x31,   0x02,     0x01,
                                      0x11, 0x12, 0x03, 0x4022, 0x8022, 0x100032, 0x8032};
  return c.of(common) | (c.one_in(16) ? bits(c, 0xffff'ffff) : 0);
}

std::uint64_t Arguments::clone_flags() {
  constexpr std::uint64_t common[] = {17, 17, 0, 0x1200011, 0x411, 0x611, 0x8011, 0x4111, 0x100011};
  return c.of(common) | (c.one_in(8) ? bits(c, 0x1'ffff'ff00) : 0);
}

std::uint64_t Arguments::scalar(char letter) {
  constexpr std::uint64_t open_flags[] = {0,     1,     2,        2,       0x42,    0x42, 0x242,
                                          0x442, 0x802, 0x10'000, 0x80042, 0x20000, 0xc2, 0x200000};
  constexpr std::uint64_t modes[] = {0,       0644,    0755,     0777,    07777,   0100644,
                                     0010644, 0020644, 0040755,  0060644, 0120777, 0140644,
                                     0170000, 0110000, 01777777, 0444};
  constexpr std::uint64_t signals[] = {10, 12, 14, 17, 18, 34, 40, 64};
  constexpr std::uint64_t fcntl_commands[] = {0, 1, 2,    3,    4,    5,    6,  7,
                                              8, 9, 1024, 1030, 1031, 1032, 36, 37};
  constexpr std::uint64_t ioctls[] = {0x5401, 0x5402, 0x540f, 0x5410, 0x5413, 0x5414,
                                      0x541b, 0x5421, 0x5450, 0x5451, 0x5452, 0x1260};
  switch (letter) {
    case 'f':
      return some_descriptor(c);
    case 'd':
      return c.one_in(3) ? some_descriptor(c) : static_cast<std::uint64_t>(-100);
    case 'n':
      return c.one_in(12) ? hostile_number(c) : c.of(lengths);
    case 'o':
      return c.of(open_flags) | bits(c, 0x7f'ffff);
    case 'm':
      return c.of(modes);
    case 'D':
      return c.one_in(2) ? 0x103 : c.next() & 0xffff;
    case 'i':
      return c.below(c.one_in(4) ? 40 : 4);
    case 's':
      return c.one_in(4) ? c.below(66) : c.of(signals);
    case 'z':
      return c.one_in(16) ? c.next() : 8;
    case 'k':
      return c.one_in(8) ? c.next() : c.below(12);
    case 'l':
      if (c.one_in(20)) return hostile_number(c);
      return c.of(page_counts) * vmi::page_size - (c.one_in(8) ? c.below(4096) : 0);
    case 'r':
      return c.one_in(3) ? c.below(8) : 3;
    case 'O':
      if (c.one_in(16)) return hostile_number(c);
      return c.below(24) * vmi::page_size + (c.one_in(2) ? c.below(4096) : 0);
    case 'K':
      return c.one_in(16) ? c.next() : c.below(24) * vmi::page_size;
    case 'e':
      return c.one_in(8) ? c.next() : c.below(4);
    case 'h':
      return c.one_in(2) ? 4 : c.below(24);
    case 'c':
      return c.one_in(16) ? c.next() >> c.below(64) : c.below(9);
    case 'R':
      return c.one_in(8) ? c.next() : c.below(17);
    case 'F':
      return c.below(14) | (c.one_in(2) ? 128 : 0) | (c.one_in(8) ? 256 : 0);
    case 'q':
      return c.one_in(8) ? c.next() : c.of(fcntl_commands);
    case 'Q':
      return c.one_in(8) ? c.next() : c.of(ioctls);
    case 'u':
      return c.one_in(4) ? c.next() : c.one_in(3) ? 0xffff'ffff : c.below(3) * 1000;
    case 'x':
      return bits(c, 0x1fff);
    case 'w':
      return c.below(6);
    case '0':
      return 0;
    default:
      return c.next();
  }
}

std::uint64_t Arguments::of(char letter) {
  if (c.one_in(16)) return hostile_number(c);
  switch (letter) {
    case 'p':
      return path();
    case 'b':
      return some_address(c);
    case 'g':
      return stored(c.one_in(2) ? std::uint64_t{0} : c.next() & c.next());
    case 'G':
      return action();
    case 't':
      return times(true, 1);
    case 'T':
      return times(c.one_in(2), 2);
    case 'P':
      return around.some_pid(c);
    case 'a':
      if (c.one_in(24)) return some_address(c);
      if (c.one_in(12)) return 0;
      return churn + c.below(c.one_in(2) ? churn_pages : churn_pages / 8) * vmi::page_size;
    case 'M':
      return mapping_flags();
    case 'v':
      return io_vector();
    case 'y':
      return polled();
    case 'S':
      return structure();
    case 'C':
      return clone_flags();
    case 'A':
      return strings();
    default:
      return scalar(letter);
  }
}

const char* shape_of(std::uint64_t number) {
  for (const Shape& shape : shapes)
    if (shape.number == number) return shape.letters;
  return nullptr;
}

std::uint64_t random_number(Choices& c) {
  if (c.one_in(256)) return c.next() << c.below(40);  // upper halves, x32's bit, nothing known
  if (c.one_in(12)) return c.below(highest_number + 1);
  return c.one_in(2) ? c.of(favourites) : c.of(shapes).number;
}

}  // namespace

std::uint64_t hostile_number(Choices& c) {
  return c.one_in(8) ? c.next() >> c.below(64) : c.of(hostile_numbers);
}

std::string_view random_path(Choices& c) {
  static char text[64];
  if (!c.one_in(12)) return c.one_in(3) ? c.of(paths) : paths[c.below(11)];
  std::string_view before = "/proc/self/", file = c.of(proc_files);
  std::memcpy(text, before.data(), before.size());
  std::memcpy(text + before.size(), file.data(), file.size());
  return {text, before.size() + file.size()};
}

Call random_call(Choices& c, Surroundings& around) {
  Call call;
  call.number = random_number(c);
  // What ends everything, or nothing else, is rare.
  while (ends_process(call.number) && !c.one_in(20)) call.number = random_number(c);
  const char* letters = shape_of(call.number);
  constexpr char anything[] = "fpbnSaiIx";
  Arguments arguments(c, around);
  for (auto& argument : call.arguments) {
    char letter = letters && *letters ? *letters++ : anything[c.below(sizeof anything - 1)];
    argument = arguments.of(letter);
  }
  return call;
}

bool may_block(std::uint64_t number) {
  for (std::uint64_t blocking : {7, 23, 34, 35, 61, 128, 130, 202, 230, 247, 270, 271})
    if (number == blocking) return true;
  return false;
}

bool ends_process(std::uint64_t number) {
  return number == 60 || number == 231 || number == 59;
}

}  // namespace fuzz
