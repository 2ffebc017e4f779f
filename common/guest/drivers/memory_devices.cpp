// /dev/null, /dev/zero, /dev/full: no device behind them, only rules.
#include "guest/drivers/device_files.h"
#include "guest/heap/make.h"
#include "guest/sched/pausing.h"

namespace guest {
namespace {

Result<std::size_t> read_zeros(UserAddress to, std::size_t bytes) {
  return in_parts_with_pauses(bytes, [&](std::size_t done) {
    return move_zeros_to_user(to + done, bytes - done < pause_bytes ? bytes - done : pause_bytes);
  });
}

/// What the three have in common: a position that stays 0, as on Linux.
class RuleFile : public File {
 public:
  using File::File;
  Result<std::uint64_t> seek(std::int64_t, int) override { return position = 0; }
};

class NullFile final : public RuleFile {
 public:
  using RuleFile::RuleFile;
  Result<std::size_t> read(UserAddress, std::size_t) override { return std::size_t{0}; }
  Result<std::size_t> write(Source, std::size_t bytes) override { return bytes; }
};

class ZeroFile final : public RuleFile {
 public:
  using RuleFile::RuleFile;
  Result<std::size_t> read(UserAddress to, std::size_t bytes) override {
    return read_zeros(to, bytes);
  }
  Result<std::size_t> write(Source, std::size_t bytes) override { return bytes; }
};

class FullFile final : public RuleFile {
 public:
  using RuleFile::RuleFile;
  Result<std::size_t> read(UserAddress to, std::size_t bytes) override {
    return read_zeros(to, bytes);
  }
  Result<std::size_t> write(Source, std::size_t) override { return Errno::nospc; }
};

template <class T>
Result<Ref<File>> make_file(Ref<Inode> inode, std::uint32_t flags) {
  return Ref<File>(TRY(make_ref<T>(std::move(inode), flags)));
}

}  // namespace

Result<Ref<File>> open_null(Ref<Inode> inode, std::uint32_t flags) {
  return make_file<NullFile>(std::move(inode), flags);
}
Result<Ref<File>> open_zero(Ref<Inode> inode, std::uint32_t flags) {
  return make_file<ZeroFile>(std::move(inode), flags);
}
Result<Ref<File>> open_full(Ref<Inode> inode, std::uint32_t flags) {
  return make_file<FullFile>(std::move(inode), flags);
}

}  // namespace guest
