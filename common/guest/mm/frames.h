// The frame table: who uses which page frame of guest RAM. Frames are handed out in contiguous
// runs wherever possible, so that one host mapping covers many pages, and counted: a frame is
// free again when its last user lets it go.
#pragma once

#include <cstdint>

#include "guest/base/narrow.h"
#include "guest/base/result.h"
#include "vmi/address_map.h"

namespace guest {

using vmi::Bytes;
using vmi::Frame;
using vmi::Frames;
using vmi::Pages;
using vmi::pages_between;

struct FrameRun {
  Frame first;
  Frames count;
  /// One past the last.
  [[nodiscard]] Frame end() const { return first + count; }
};
/// A frame for each of so many pages.
inline Frames frames_for(Pages pages) {
  return Frames(narrow<std::uint32_t>(pages.number));
}

/// `taken` is in use already, unless it is empty.
void frames_init(Frames total, FrameRun taken);

/// 1..wanted contiguous frames, each with one reference; contents undefined. ENOMEM if none.
Result<FrameRun> frames_allocate(Frames wanted);
/// 1..wanted frames that begin exactly at `first`. ENOMEM when that one is taken.
Result<FrameRun> frames_allocate_at(Frame first, Frames wanted);
/// A chunk of frames_per_chunk frames, aligned, that is wholly free: points it out and takes
/// nothing. Who fills such a chunk by frames_allocate_at gets frames that continue each other,
/// because everybody else begins with a chunk of their own while there are any.
Result<Frame> frames_free_chunk();
inline constexpr Frames frames_per_chunk{64};

/// True when none of the run was used since boot: the host gave it zeroed. Ask right after
/// allocating it.
bool frames_are_fresh(FrameRun run);

/// Who lets go of frames that are only held to save work, the page cache of the disk: `wanted` of
/// them if there are so many. Called when memory is short; must not allocate frames.
using FrameReclaimer = void (*)(Frames wanted);
void frames_set_reclaimer(FrameReclaimer reclaimer);
/// Asks for that, where somebody is about to need frames. frames_allocate does when it has none.
void frames_reclaim(Frames wanted);

void frame_retain(Frame frame);
void frame_release(Frame frame);
void frames_retain(FrameRun run);  // each of them
void frames_release(FrameRun run);
std::uint32_t frame_references(Frame frame);
Frames frames_free();
Frames frames_total();

}  // namespace guest
