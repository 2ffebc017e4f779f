// What an image is made of decides its UUID, so an image says by itself whether it is up to date,
// and nothing beside it can disagree. What guests write later changes no UUID: their image stays.
#include "workloads/image/image.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "monitor/root/block_image.h"
#include "monitor/tool/error.h"
#include "monitor/tool/output_file.h"
#include "workloads/image/debian_tree.h"
#include "workloads/image/directory.h"
#include "workloads/image/ext2_image.h"
#include "workloads/image/library_cache.h"
#include "workloads/image/root_image.h"

namespace image {
namespace {

namespace fs = std::filesystem;

// bash to gawk are what the guest is to run; dash is Debian's /bin/sh, libc-bin has C.UTF-8, and
// cmake-data, which is where typetwo was built, has 3000 files of text to work on.
constexpr const char* default_packages[] = {"bash",     "coreutils", "findutils", "grep",
                                            "sed",      "gawk",      "dash",      "busybox-static",
                                            "libc-bin", "cmake-data"};
constexpr int recipe_version = 1;  // raise it when the same inputs are to make another image
constexpr std::uint64_t mebibyte = 1 << 20;
constexpr std::uint64_t working_room = 256 * mebibyte;
constexpr const char* our_label = "typetwo";

/// FNV-1a, twice with different starts: 128 bits against accidents, not against attackers.
class Fingerprint {
 public:
  void add(const std::string& text) {
    for (unsigned char byte : text) {
      for (auto& half : halves_) half = (half ^ byte) * 0x100000001b3;
    }
    for (auto& half : halves_) half = (half ^ 0x100) * 0x100000001b3;  // the end of a text counts
  }
  [[nodiscard]] std::string uuid() const {
    auto [a, b] = halves_;
    // The digits 4 and 8 make it look like a random one, so that every tool takes it.
    return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", a >> 32, a >> 16 & 0xffff,
                       a & 0xfff, b >> 52, b & 0xffff'ffff'ffff);
  }

 private:
  std::uint64_t halves_[2] = {0xcbf29ce484222325, 0x84222325cbf29ce4};
};

std::string fingerprint(const std::vector<Package>& packages, const monitor::RootTree& tree,
                        std::uint64_t bytes) {
  Fingerprint print;
  print.add(fmt::format("recipe {} bytes {}", recipe_version, bytes));
  for (const auto& package : packages) print.add(package.name + ' ' + package.version);
  for (const auto& [path, node] : tree.nodes()) {
    print.add(fmt::format("{} {:o} {} {}", path, node.mode, node.size, node.mtime_ns));
    // Our own programs carry no version and are linked anew at each build.
    bool ours = path.rfind("/workloads/", 0) == 0 && S_ISREG(node.mode);
    print.add(ours ? content_of(node.host_path) : node.content);
  }
  return print.uuid();
}

std::string path_in_build(const std::string& name) {
  monitor::make_folder(TYPETWO_IMAGE_DIR);
  return fmt::format("{}/{}.ext2", TYPETWO_IMAGE_DIR, name);
}

/// In the build folder, by the packages beside the default ones.
std::string default_path(std::string name, std::vector<std::string> with) {
  std::sort(with.begin(), with.end());
  for (const auto& package : with) name += "+" + package;
  if (name.size() > 200) throw monitor::UsageError("many packages: name the image with --output");
  return path_in_build(name);
}

/// Nobody's file but an image of ours is ever replaced.
void require_replaceable(const std::string& output) {
  std::error_code none;
  if (!fs::exists(fs::symlink_status(output, none))) return;
  auto there = fs::is_regular_file(output, none) ? find_superblock(output) : std::nullopt;
  if (there && there->label == our_label) return;
  throw monitor::UsageError(fmt::format(
      "{} exists and was not made by typetwo image: remove it or name another --output", output));
}

/// The old image, so that no guest is or gets between it and the new one. What guests wrote is
/// never dropped.
class ReplacedImage {
 public:
  explicit ReplacedImage(const std::string& output)
      : lock_(fs::exists(output) ? output : "", false) {
    if (lock_.fd() < 0 || !read_superblock(output).written) return;
    throw monitor::HostError(
        fmt::format("{} was made of other files, and guests have written to it since: name another "
                    "--output, or remove it with all that they wrote",
                    output));
  }

 private:
  monitor::BlockImage lock_;
};

bool is_up_to_date(const std::string& output, const std::string& uuid) {
  auto there = find_superblock(output);
  return there && there->uuid == uuid;
}

void require_free(const std::string& folder) {
  std::error_code none;
  bool exists = fs::exists(fs::symlink_status(folder, none));
  if (!exists || (fs::is_directory(folder, none) && fs::is_empty(folder, none))) return;
  throw monitor::UsageError(
      fmt::format("{} is there already: remove it or name another folder", folder));
}

std::uint64_t image_bytes(const monitor::RootTree& tree, std::optional<std::uint64_t> asked) {
  std::uint64_t least = least_ext2_bytes(tree);
  std::uint64_t bytes = asked.value_or(least + working_room);
  if (bytes < least) {
    throw monitor::HostError(
        fmt::format("--size is too small: the files need about {} MiB", least / mebibyte + 1));
  }
  return (bytes + mebibyte - 1) / mebibyte * mebibyte;
}

void add_library_cache(monitor::RootTree& tree, const std::string& scratch) {
  std::string cache = library_cache(tree, scratch);
  if (cache.empty()) return;
  tree.add_file("/etc/ld.so.cache", std::move(cache));
  monitor::RootNode node = *tree.find("/etc/ld.so.cache");
  node.mtime_ns = tree.find("/etc")->mtime_ns;
  tree.add_node("/etc/ld.so.cache", node);
}

}  // namespace

std::vector<Package> image_packages(const std::vector<std::string>& with) {
  std::vector<std::string> names(std::begin(default_packages), std::end(default_packages));
  names.insert(names.end(), with.begin(), with.end());
  return PackageDatabase::of_host().closure(names);
}

MadeImage make_image(const ImageOptions& options) {
  auto packages = image_packages(options.with);
  auto tree = debian_tree(packages);
  MadeImage made;
  made.path = options.output.empty() ? default_path("debian", options.with) : options.output;
  std::uint64_t bytes = image_bytes(tree, options.bytes);
  std::string uuid = fingerprint(packages, tree, bytes);
  require_replaceable(made.path);
  made.fresh = is_up_to_date(made.path, uuid);  // also where it is another user's to replace
  if (made.fresh) return made;
  monitor::OutputFile file(made.path);
  if (is_up_to_date(made.path, uuid)) {
    made.fresh = true;
    return made;
  }
  const ReplacedImage old(made.path);
  monitor::require_room(made.path, least_ext2_bytes(tree));
  const std::string& unfinished = file.share();
  add_library_cache(tree, unfinished + "-libraries");
  write_ext2(tree, unfinished, {.bytes = bytes, .uuid = uuid});
  file.commit();
  return made;
}

MadeImage workload_image(const std::vector<std::string>& with) {
  return make_image({.with = with, .output = default_path("workloads", with), .bytes = {}});
}

void make_directory(const std::vector<std::string>& with, std::string folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  folder = monitor::without_links(folder);
  require_free(folder);
  auto tree = debian_tree(image_packages(with));
  monitor::require_room(folder, least_ext2_bytes(tree));
  ScratchFolder unfinished(monitor::unfinished_name(folder));
  require_free(folder);  // another run may have made it while we waited
  add_library_cache(tree, monitor::unfinished_name(folder) + "-libraries");
  write_directory(tree, unfinished.path());
  flush_files(unfinished.path());
  unfinished.move_to(folder);
  monitor::flush_folder(fs::absolute(folder).parent_path());
}

}  // namespace image
