// The rungs, and the ratio between two of them.
#include "results/ladder.h"

#include <cmath>
#include <string_view>

namespace results {
namespace {

using Kind = Rung::Kind;

constexpr const char* ptrace = "baseline";
constexpr const char* sysemu = "baseline:trap=sysemu";
constexpr const char* trap = "extended:trap=sigsys,protect=mmap,spaces=remap";
constexpr const char* protect = "extended:trap=sigsys,spaces=remap";
constexpr const char* spaces = "extended:trap=sigsys";
constexpr const char* full = "extended";
constexpr const char* no_spaces = "extended:spaces=remap";
constexpr const char* no_protect = "extended:protect=mmap";
constexpr const char* open = "extended:protect=none";

// trap=sigsys put back into the full set is the rung before the last step: it needs no other.
constexpr Rung rungs[] = {
    {ptrace, "baseline", Kind::start, "", "", "", ""},
    {sysemu, "baseline, trap=sysemu", Kind::beside, "trap", "ptrace to sysemu", sysemu, ptrace},
    {trap, "+ trap=sigsys", Kind::step, "trap", "ptrace to sigsys", trap, ptrace},
    {protect, "+ protect=mprotect", Kind::step, "protect", "mmap to mprotect", protect, trap},
    {spaces, "+ spaces=pool", Kind::step, "spaces", "remap to pool", spaces, protect},
    {full, "+ trap=direct: full set", Kind::step, "trap", "sigsys to direct", full, spaces},
    {no_spaces, "full set, spaces=remap", Kind::put_back, "spaces", "remap to pool", full,
     no_spaces},
    {no_protect, "full set, protect=mmap", Kind::put_back, "protect", "mmap to mprotect", full,
     no_protect},
    {open, "protect=none: unprotected", Kind::bound, "protect", "mprotect to none", open, full},
};

}  // namespace

std::span<const Rung> ladder() {
  return rungs;
}

std::optional<Gain> gain(const Summary& summary, const std::string& workload, const Rung& rung) {
  const Cell* with = summary.find(workload, rung.with);
  const Cell* without = summary.find(workload, rung.without);
  if (with == nullptr || without == nullptr || with->runs() == 0 || without->runs() == 0) {
    return std::nullopt;
  }
  const Cell* again = summary.find(workload, standalone_again);
  const bool noise = again != nullptr && again->ratio;
  return Gain{ratio_of(*with, *without), noise ? std::abs(again->ratio->value - 1) : 0};
}

std::vector<AxisJudgement> judge_axes(const Summary& summary) {
  std::vector<AxisJudgement> axes = {{"trap"}, {"protect"}, {"spaces"}};
  for (AxisJudgement& axis : axes) {
    bool pays = false, open = false;
    for (const Rung& rung : ladder()) {
      const bool extension = rung.kind == Kind::step || rung.kind == Kind::put_back;
      if (!extension || rung.axis != std::string_view(axis.axis)) continue;
      for (const auto& workload : summary.workloads()) {
        const auto found = gain(summary, workload, rung);
        if (!found) continue;
        axis.measured = true;
        pays = pays || found->verdict() == Verdict::holds;
        open = open || found->verdict() == Verdict::undecided;
      }
    }
    axis.pays = pays ? Verdict::holds : open ? Verdict::undecided : Verdict::fails;
  }
  return axes;
}

std::optional<Verdict> every_axis_pays(const Summary& summary,
                                       const std::vector<std::string>& workloads) {
  for (const auto& workload : workloads) {
    const Cell* cell = summary.find(workload, full);
    if (cell == nullptr || cell->runs() == 0) return std::nullopt;
  }
  Verdict verdict = Verdict::holds;
  for (const AxisJudgement& axis : judge_axes(summary)) {
    if (!axis.measured) return std::nullopt;
    if (axis.pays == Verdict::fails) return Verdict::fails;
    if (axis.pays == Verdict::undecided) verdict = Verdict::undecided;
  }
  return verdict;
}

}  // namespace results
