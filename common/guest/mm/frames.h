// The frame table: who uses which page frame of guest RAM. Frames are handed out in contiguous
// runs wherever possible, so that one host mapping covers many pages, and counted: a frame is
// free again when its last user lets it go.
#pragma once

#include <cstdint>

#include "guest/base/result.h"
#include "vmi/address_map.h"

namespace guest {

using vmi::Frame;

struct FrameRun {
  Frame first;
  std::uint32_t count;
};

void frames_init(std::uint32_t total, Frame boot_tree, std::uint32_t boot_tree_frames);

/// 1..wanted contiguous frames, each with one reference; contents undefined. ENOMEM if none.
Result<FrameRun> frames_allocate(std::uint32_t wanted);
/// 1..wanted frames that begin exactly at `first`. ENOMEM when that one is taken.
Result<FrameRun> frames_allocate_at(Frame first, std::uint32_t wanted);
/// A chunk of frames_per_chunk frames, aligned, that is wholly free: points it out and takes
/// nothing. Who fills such a chunk by frames_allocate_at gets frames that continue each other,
/// because everybody else begins with a chunk of their own while there are any.
Result<Frame> frames_free_chunk();
inline constexpr std::uint32_t frames_per_chunk = 64;

/// True when none of the run was used since boot: the host gave it zeroed. Ask right after
/// allocating it.
bool frames_are_fresh(FrameRun run);

/// Who lets go of frames that are only held to save work, the page cache of the disk: `wanted` of
/// them if there are so many. Called when memory is short; must not allocate frames.
using FrameReclaimer = void (*)(std::uint32_t wanted);
void frames_set_reclaimer(FrameReclaimer reclaimer);
/// Asks for that, where somebody is about to need frames. frames_allocate does when it has none.
void frames_reclaim(std::uint32_t wanted);

void frame_retain(Frame frame, std::uint32_t count = 1);  // each of frame..frame+count-1
void frame_release(Frame frame, std::uint32_t count = 1);
std::uint32_t frame_references(Frame frame);
std::uint32_t frames_free();
std::uint32_t frames_total();

}  // namespace guest
