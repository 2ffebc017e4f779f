// Serialising the root tree; see boot_tree.h.
#include "monitor/guest/boot_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "monitor/tool/error.h"

namespace monitor {

namespace {

// A guest needs page frames of its own to run anything.
constexpr std::uint64_t working_bytes = 8ul << 20;

std::uint64_t pages_of(std::uint64_t bytes) {
  return (bytes + vmi::page_size - 1) >> vmi::page_shift;
}

void check_words(const std::vector<std::string>& argv, const std::vector<std::string>& env) {
  std::uint64_t all = 0, longest = 0;
  for (const auto* words : {&argv, &env}) {
    for (const std::string& word : *words) {
      all += word.size() + 1;
      longest = std::max<std::uint64_t>(longest, word.size() + 1);
    }
  }
  if (argv.size() <= vmi::boot_words_max && env.size() <= vmi::boot_words_max &&
      longest <= vmi::boot_word_bytes_max && all <= vmi::boot_words_bytes_max)
    return;
  throw ProgramError(
      ProgramError::not_executable,
      fmt::format(
          "cannot run {}: its {} arguments and {} words of environment have {} bytes, the "
          "longest {}; a guest takes {} of each, {} bytes together and {} in one: pass them "
          "in a file",
          argv.front().substr(0, 100), argv.size(), env.size(), all, longest, vmi::boot_words_max,
          vmi::boot_words_bytes_max, vmi::boot_word_bytes_max));
}

RootNode default_root() {
  RootNode root;
  root.mode = S_IFDIR | 0755;
  return root;
}

/// Reads all of a host file to `to`; its size was taken when the tree was gathered.
void read_host_file(const RootNode& node, std::byte* to) {
  int fd = open(node.host_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw_errno("cannot read " + node.host_path);
  std::uint64_t done = 0;
  ssize_t got = 1;
  while (done < node.size && got != 0) {
    got = read(fd, to + done, node.size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      int cause = errno;
      close(fd);
      errno = cause;
      throw_errno("cannot read " + node.host_path);
    }
    done += static_cast<std::uint64_t>(got);
  }
  close(fd);
  if (done < node.size) {
    throw HostError(node.host_path + " became shorter while it was read; try again");
  }
}

}  // namespace

BootTree::BootTree(const RootTree& root, const std::vector<std::string>& argv,
                   const std::vector<std::string>& env) {
  check_words(argv, env);
  strings_.push_back('\0');  // offset 0: the empty name, of "/"
  if (root.nodes().find("/") == root.nodes().end()) add_node("/", default_root());
  for (const auto& [path, node] : root.nodes()) add_node(path, node);

  header_.argv_offset = strings_.size();
  for (const std::string& word : argv) add_string(word);
  header_.envp_offset = strings_.size();
  for (const std::string& word : env) add_string(word);

  header_.magic = vmi::BootTreeHeader::magic_value;
  header_.version = vmi::vmi_version;
  header_.entries = static_cast<std::uint32_t>(entries_.size());
  header_.argc = static_cast<std::uint32_t>(argv.size());
  header_.envc = static_cast<std::uint32_t>(env.size());
  header_.strings_offset = sizeof header_ + entries_.size() * sizeof(vmi::BootTreeEntry);
  header_.strings_bytes = strings_.size();
  std::uint64_t table_frames = pages_of(header_.strings_offset + header_.strings_bytes);
  header_.total_bytes = (table_frames + content_frames_) << vmi::page_shift;
  // Contents were numbered from zero while the size of the tables was not known.
  for (Content& content : contents_) content.frame += static_cast<std::uint32_t>(table_frames);
  for (vmi::BootTreeEntry& entry : entries_) {
    if (S_ISREG(entry.mode) && entry.size != 0) {
      entry.data += static_cast<std::uint32_t>(table_frames);
    }
  }
}

std::uint32_t BootTree::add_string(const std::string& text) {
  if (text.find('\0') != std::string::npos) {
    throw HostError("a name, argument or environment word holds a NUL byte; leave it out");
  }
  auto offset = static_cast<std::uint32_t>(strings_.size());
  strings_.append(text.c_str(), text.size() + 1);
  return offset;
}

void BootTree::add_node(const std::string& path, const RootNode& node) {
  auto index = static_cast<std::uint32_t>(entries_.size());
  vmi::BootTreeEntry entry{};
  entry.mode = node.mode;
  entry.uid = node.uid;
  entry.gid = node.gid;
  entry.mtime_ns = node.mtime_ns;
  if (path != "/") {
    std::size_t slash = path.rfind('/');
    std::string name = path.substr(slash + 1);
    auto parent = directories_.find(slash == 0 ? "/" : path.substr(0, slash));
    if (slash == std::string::npos || name.empty() || parent == directories_.end()) {
      throw HostError(fmt::format("{}: its directory is not in the root tree; add that too", path));
    }
    entry.parent = parent->second;
    entry.name = add_string(name);
  }
  if (S_ISDIR(node.mode)) {
    directories_.emplace(path, index);
  } else if (S_ISLNK(node.mode)) {
    entry.size = node.content.size();
    entry.data = add_string(node.content);
  } else if (S_ISREG(node.mode)) {
    entry.size = node.host_path.empty() ? node.content.size() : node.size;
    if (entry.size != 0) {
      entry.data = static_cast<std::uint32_t>(content_frames_);
      contents_.push_back({&node, entry.data});
      content_frames_ += pages_of(entry.size);
    }
  } else {
    entry.data = static_cast<std::uint32_t>(node.rdev);
  }
  entries_.push_back(entry);
}

void BootTree::write(const GuestMemory& memory, vmi::Frame first) const {
  std::uint64_t begin = static_cast<std::uint64_t>(first) << vmi::page_shift;
  if (begin + bytes() + working_bytes > memory.ram_bytes()) {
    throw HostError(fmt::format(
        "the root tree needs {} MiB of guest memory and {} MiB to run in, the guest has {} MiB: "
        "use a larger --memory, or a smaller root tree",
        (bytes() >> 20) + 1, working_bytes >> 20, memory.ram_bytes() >> 20));
  }
  std::byte* to = memory.frame(first);
  std::memcpy(to, &header_, sizeof header_);
  std::memcpy(to + sizeof header_, entries_.data(), entries_.size() * sizeof entries_[0]);
  std::memcpy(to + header_.strings_offset, strings_.data(), strings_.size());
  for (const Content& content : contents_) {
    std::byte* frame = memory.frame(first + content.frame);
    if (content.node->host_path.empty()) {
      std::memcpy(frame, content.node->content.data(), content.node->content.size());
    } else {
      read_host_file(*content.node, frame);
    }
  }
}

}  // namespace monitor
