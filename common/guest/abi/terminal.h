// The terminal interface of the ABI: struct termios, its flags and special characters, ioctl's
// requests. Only what the line discipline knows is named.
#pragma once

#include <cstddef>
#include <cstdint>

namespace guest::abi {

/// Indices of Terminal::characters.
enum SpecialCharacter : std::uint8_t {
  v_intr,
  v_quit,
  v_erase,
  v_kill,
  v_eof,
  v_time,
  v_min,
  v_swtc,
  v_start,
  v_stop,
  v_susp,
  v_eol,
  v_reprint,
  v_discard,
  v_werase,
  v_lnext,
  v_eol2,
};

/// struct termios as the kernel's TCGETS has it
struct Terminal {
  std::uint32_t input, output, control, local;
  std::uint8_t line, characters[19];
};
static_assert(sizeof(Terminal) == 36);

// -- Terminal::input
inline constexpr std::uint32_t t_istrip = 040, t_inlcr = 0100, t_igncr = 0200, t_icrnl = 0400,
                               t_ixon = 02000, t_ixany = 04000, t_imaxbel = 020000,
                               t_iutf8 = 040000;
// -- Terminal::output
inline constexpr std::uint32_t t_opost = 01, t_onlcr = 04, t_ocrnl = 010, t_onocr = 020;
// -- Terminal::local
inline constexpr std::uint32_t t_isig = 01, t_icanon = 02, t_echo = 010, t_echoe = 020,
                               t_echok = 040, t_echonl = 0100, t_noflsh = 0200, t_tostop = 0400,
                               t_echoctl = 01000, t_echoke = 04000, t_iexten = 0100000;

/// What a terminal starts with: ICRNL IXON, OPOST ONLCR, 38400 baud CS8 CREAD, ISIG ICANON ECHO
/// ECHOE ECHOK ECHOCTL ECHOKE IEXTEN.
inline constexpr Terminal usual_terminal = {
    t_icrnl | t_ixon,
    t_opost | t_onlcr,
    0xbf,
    t_isig | t_icanon | t_echo | t_echoe | t_echok | t_echoctl | t_echoke | t_iexten,
    0,
    {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0},
};

/// struct winsize
struct WindowSize {
  std::uint16_t rows, columns, pixels_x, pixels_y;
};

// -- ioctl
inline constexpr std::uint32_t tcgets = 0x5401, tcsets = 0x5402, tcsetsw = 0x5403, tcsetsf = 0x5404,
                               tcsbrk = 0x5409, tcxonc = 0x540a, tcflsh = 0x540b,
                               tiocsctty = 0x540e, tiocgpgrp = 0x540f, tiocspgrp = 0x5410,
                               tiocoutq = 0x5411, tiocgwinsz = 0x5413, tiocswinsz = 0x5414,
                               tiocnotty = 0x5422, tiocgsid = 0x5429;
enum FlushWhat : std::uint64_t { tciflush = 0, tcoflush = 1, tcioflush = 2 };

}  // namespace guest::abi
