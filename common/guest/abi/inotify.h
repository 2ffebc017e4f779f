// inotify: its bits, and the head of an event as programs read it.
#pragma once

#include <cstdint>

namespace guest::abi {

enum : std::uint32_t {
  in_access = 0x1,
  in_modify = 0x2,
  in_attrib = 0x4,
  in_close_write = 0x8,
  in_close_nowrite = 0x10,
  in_open = 0x20,
  in_moved_from = 0x40,
  in_moved_to = 0x80,
  in_create = 0x100,
  in_delete = 0x200,
  in_delete_self = 0x400,
  in_move_self = 0x800,
  in_all_events = 0xfff,
  // -- Sent without being asked for.
  in_unmount = 0x2000,
  in_q_overflow = 0x4000,
  in_ignored = 0x8000,
  in_isdir = 0x4000'0000,
  // -- How to watch.
  in_onlydir = 0x0100'0000,
  in_dont_follow = 0x0200'0000,
  in_excl_unlink = 0x0400'0000,
  in_mask_create = 0x1000'0000,
  in_mask_add = 0x2000'0000,
  in_oneshot = 0x8000'0000,
};

struct InotifyEvent {
  std::int32_t watch;
  std::uint32_t mask, cookie;
  std::uint32_t name_bytes;  // that follow: the name, its NUL, and zeros up to a multiple of 16
};

}  // namespace guest::abi
