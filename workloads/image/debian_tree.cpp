// dpkg says which paths a package has; the bytes, modes and times are the host's. Folders, links of
// the installer and made-up files would carry the time at which this host was installed, so they
// get the newest time among the packages' files instead: equal packages make equal trees.
#include "workloads/image/debian_tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "workloads/image/host_program.h"

namespace image {
namespace {

namespace fs = std::filesystem;
using monitor::RootNode;
using monitor::RootTree;

constexpr const char* left_out[] = {"/usr/share/man/", "/usr/share/info/", "/usr/share/locale/",
                                    "/usr/share/lintian/"};

struct MadeFile {
  const char* path;
  const char* content;
};

// What Debian's installer and the packages' scripts write.
constexpr MadeFile made_files[] = {
    {"/etc/passwd",
     "root:x:0:0:root:/root:/bin/bash\n"
     "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
    {"/etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"},
    {"/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n"},
    {"/etc/hosts", "127.0.0.1 localhost\n"},
    {"/etc/hostname", "typetwo\n"},
    {"/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"},
};

constexpr const char* folders[] = {"/dev", "/proc", "/sys", "/run", "/etc", "/mnt", "/var/lib"};

/// Both ways to a file, /bin/x and /usr/bin/x, lead to one path: its folder's real one.
class RealPaths {
 public:
  std::string operator()(const std::string& path) {
    auto slash = path.rfind('/');
    std::string folder = path.substr(0, slash);
    auto [at, fresh] = folders_.try_emplace(folder);
    if (fresh) {
      std::error_code none;
      at->second = fs::canonical(folder.empty() ? "/" : folder, none).string();
      if (none) at->second = folder;
      if (at->second == "/") at->second.clear();
    }
    return at->second + path.substr(slash);
  }

 private:
  std::map<std::string, std::string> folders_;
};

bool is_left_out(const std::string& path) {
  return std::any_of(std::begin(left_out), std::end(left_out),
                     [&](const char* start) { return path.rfind(start, 0) == 0; });
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> paths_of(const std::vector<Package>& packages) {
  std::vector<std::string> words = {"dpkg-query", "-L"};
  for (const auto& package : packages) words.push_back(package.name + ":" + package.architecture);
  std::vector<std::string> paths;
  for (auto& line : lines_of(require_program(words, "repair dpkg's database"))) {
    // Other lines tell of diversions; the path that a package diverts is another's, or listed too.
    if (line.size() > 1 && line[0] == '/' && line != "/.") paths.push_back(line);
  }
  return paths;
}

void add_packages(const std::vector<Package>& packages, RealPaths& real, RootTree& tree) {
  for (const auto& listed : paths_of(packages)) {
    std::string path = real(listed);
    if (is_left_out(path + '/')) continue;
    struct stat status;
    // A host may have been told to leave out documentation; what it has not got it does not miss.
    if (lstat(path.c_str(), &status) != 0) continue;
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode) && !S_ISDIR(status.st_mode)) continue;
    tree.add_node(path, RootTree::node_of_host(path));
  }
}

/// The links on paths (/usr/bin/awk) that dpkg's list of one alternative names: the second line,
/// then pairs of name and path up to an empty line.
std::vector<std::string> alternative_links(const fs::path& list) {
  std::ifstream file(list);
  std::vector<std::string> links;
  std::string line;
  for (int number = 1; std::getline(file, line) && !(number > 1 && line.empty()); ++number) {
    if (number >= 2 && number % 2 == 0) links.push_back(line);
  }
  return links;
}

/// Both links of an alternative (/usr/bin/awk and /etc/alternatives/awk) when they end in the tree.
void add_alternative(const std::string& link, RealPaths& real, RootTree& tree) {
  std::error_code none;
  std::string first = real(link);
  std::string second = fs::read_symlink(first, none).string();
  if (none || second.rfind("/etc/alternatives/", 0) != 0) return;
  std::string target = fs::read_symlink(second, none).string();
  if (none || target.empty() || target[0] != '/' || !tree.find(real(target))) return;
  tree.add_node(first, RootTree::node_of_host(first));
  tree.add_node(second, RootTree::node_of_host(second));
}

void add_alternatives(RealPaths& real, RootTree& tree) {
  std::error_code none;
  for (const auto& list : fs::directory_iterator("/var/lib/dpkg/alternatives", none)) {
    for (const auto& link : alternative_links(list.path())) add_alternative(link, real, tree);
  }
}

/// /bin to usr/bin and the others, where this host's /usr is merged and the tree has the target.
void add_merged_links(RootTree& tree) {
  for (const char* link : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    std::error_code none;
    std::string target = fs::canonical(link, none);
    if (!none && fs::is_symlink(link) && tree.find(target)) {
      tree.add_node(link, RootTree::node_of_host(link));
    }
  }
}

void add_folder(const std::string& path, std::uint32_t mode, RootTree& tree) {
  RootNode folder;
  folder.mode = S_IFDIR | mode;
  tree.add_node(path, folder);
}

void add_made_files(RootTree& tree) {
  for (const auto& file : made_files) tree.add_file(file.path, file.content);
  add_folder("/", 0755, tree);
  add_folder("/root", 0700, tree);
  add_folder("/tmp", 01777, tree);
  add_folder("/var/tmp", 01777, tree);
  for (const char* path : folders) {
    if (!tree.find(path)) add_folder(path, 0755, tree);
  }
}

bool has_package_time(const RootNode& node) {
  return S_ISREG(node.mode) && !node.host_path.empty() &&
         node.host_path.rfind(TYPETWO_WORKLOAD_DIR, 0) != 0;
}

/// One time for all that has none of its package's.
void settle_times(RootTree& tree) {
  std::uint64_t newest = 0;
  for (const auto& [path, node] : tree.nodes()) {
    if (has_package_time(node)) newest = std::max(newest, node.mtime_ns);
  }
  newest -= newest % 1'000'000'000;
  for (auto [path, node] : std::map(tree.nodes())) {
    if (has_package_time(node)) continue;
    node.mtime_ns = newest;
    tree.add_node(path, node);
  }
}

}  // namespace

RootTree debian_tree(const std::vector<Package>& packages) {
  RootTree tree;
  RealPaths real;
  add_packages(packages, real, tree);
  add_merged_links(tree);
  add_alternatives(real, tree);
  add_made_files(tree);
  if (access(TYPETWO_WORKLOAD_DIR, F_OK) == 0) tree.add(TYPETWO_WORKLOAD_DIR, "/workloads");
  settle_times(tree);
  return tree;
}

}  // namespace image
