// Images written by us: e2fsprogs agrees with them, they come back as they went in, equal trees
// give equal bytes, and damaged ones are refused in words, never by a crash.
#include "workloads/image/ext2_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "monitor/tool/error.h"
#include "workloads/image/directory.h"
#include "workloads/image/host_program.h"
#include "workloads/image/root_image.h"
#include "workloads/image/unpacked_image.h"

namespace {

namespace fs = std::filesystem;
using monitor::HostError;
using monitor::RootTree;
using testing::HasSubstr;

constexpr const char* uuid = "01234567-89ab-4def-8123-456789abcdef";
constexpr std::uint64_t image_bytes = 16 << 20;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string large_content() {
  std::string text(6'000'000, 'x');  // beyond the direct and the single indirect blocks
  for (std::size_t i = 0; i < text.size(); i += 997) text[i] = static_cast<char>(i);
  return text;
}

RootTree small_tree() {
  RootTree tree = RootTree::system_folders();
  tree.add_file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  tree.add_file("/empty", "", 0600);
  tree.add_file("/large", large_content(), 0755);
  for (int i = 0; i < 300; ++i) {
    tree.add_file("/many/a-rather-long-name-so-that-blocks-fill-" + std::to_string(i), "x");
  }
  for (const char* target : {"usr/bin",
                             "/a/target/of/more/than/sixty/bytes/which/takes/a/block/of/"
                             "its/own/in/the/image"}) {
    monitor::RootNode link;
    link.mode = S_IFLNK | 0777;
    link.content = target;
    link.size = link.content.size();
    link.mtime_ns = 1'700'000'000'000'000'000;
    tree.add_node(target[0] == '/' ? "/long" : "/short", link);
  }
  return tree;
}

class Ext2Image : public testing::Test {
 protected:
  Ext2Image() {
    std::string name = (fs::temp_directory_path() / "image-test-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Ext2Image() override { image::remove_tree(folder_); }

  std::string make(const std::string& name, std::uint64_t bytes = image_bytes) {
    std::string file = folder_ + '/' + name;
    std::ofstream(file).flush();
    image::write_ext2(small_tree(), file, {.bytes = bytes, .uuid = uuid});
    return file;
  }
  std::string unpack(const std::string& file) {
    std::string to = folder_ + "/unpacked";
    image::remove_tree(to);
    fs::create_directory(to);
    image::unpack_image(file, to);
    return to;
  }

  std::string folder_;
};

TEST_F(Ext2Image, PassesTheCheckAndSaysWhatItIs) {
  std::string file = make("a");
  auto checked = image::run_program({"e2fsck", "-fn", file});
  EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
  auto superblock = image::read_superblock(file);
  EXPECT_EQ(superblock.uuid, uuid);
  EXPECT_EQ(superblock.label, "typetwo");
  EXPECT_EQ(fs::file_size(file), image_bytes);
}

TEST_F(Ext2Image, KnowsItsFilesAlsoThroughLinks) {
  RootTree tree = small_tree();
  tree.add_file("/usr/bin/bash", "x", 0755);
  tree.add_node("/bin", *tree.find("/short"));  // to usr/bin
  const std::string file = folder_ + "/a";
  std::ofstream(file).flush();
  image::write_ext2(tree, file, {.bytes = image_bytes, .uuid = uuid});
  for (const char* path : {"/usr/bin/bash", "/bin/bash", "/short/bash", "/etc"})
    EXPECT_TRUE(image::has_file(file, path)) << path;
  for (const char* path : {"/bin/absent", "/long", "/absent"})
    EXPECT_FALSE(image::has_file(file, path)) << path;
  EXPECT_FALSE(image::has_file(folder_ + "/absent", "/"));
}

TEST_F(Ext2Image, EqualTreesMakeEqualBytes) {
  EXPECT_EQ(content_of(make("a")), content_of(make("b")));
}

TEST_F(Ext2Image, ComesBackAsItWentIn) {
  std::string to = unpack(make("a"));
  RootTree tree = small_tree();
  for (const auto& [path, node] : tree.nodes()) {
    if (S_ISCHR(node.mode) || path.rfind("/dev/", 0) == 0) continue;
    struct stat status {};
    ASSERT_EQ(lstat((to + path).c_str(), &status), 0) << path;
    EXPECT_EQ(status.st_mode, node.mode) << path;
    EXPECT_EQ(static_cast<std::uint64_t>(status.st_mtime), node.mtime_ns / 1'000'000'000) << path;
    if (S_ISREG(node.mode)) {
      EXPECT_TRUE(content_of(to + path) == node.content) << path;
    }
    if (S_ISLNK(node.mode)) {
      EXPECT_EQ(fs::read_symlink(to + path), node.content);
    }
  }
}

TEST_F(Ext2Image, AFullOneIsRefused) {
  EXPECT_LT(image::least_ext2_bytes(small_tree()), image_bytes);
  EXPECT_GT(image::least_ext2_bytes(small_tree()), 8u << 20);
  try {
    make("a", 10 << 20);
    FAIL();
  } catch (const HostError& error) {
    EXPECT_THAT(error.what(), HasSubstr("larger --size"));
  }
}

TEST_F(Ext2Image, FilesThatAreNoImage) {
  std::string good = content_of(make("good"));
  struct {
    std::string bytes;
    const char* words;
  } const cases[] = {
      {"", "is empty"},
      {good.substr(0, 1500), "is truncated"},
      {good.substr(0, good.size() - 1), "is truncated"},
      {std::string(4096, 'x'), "is no ext2 image"},
      {std::string(good).replace(1024 + 24, 4, "\377\377\377\377"), "is damaged"},
  };
  for (const auto& bad : cases) {
    std::string file = folder_ + "/bad";
    std::ofstream(file, std::ios::binary) << bad.bytes;
    EXPECT_FALSE(image::find_superblock(file));
    try {
      image::read_superblock(file);
      ADD_FAILURE() << bad.words;
    } catch (const HostError& error) {
      EXPECT_THAT(error.what(), HasSubstr(bad.words));
    }
  }
  EXPECT_THROW(image::read_superblock(folder_ + "/absent"), HostError);
}

TEST_F(Ext2Image, MutatedOnesAreUnpackedOrRefused) {
  std::string good = content_of(make("good"));
  std::mt19937 random(20'241'122);
  std::string file = folder_ + "/mutated";
  int refused = 0;
  for (int round = 0; round < 60; ++round) {
    std::string bad = good;
    // Superblock, bitmaps, inodes and folders lie in the first MiB or so; data needs no test.
    for (int i = 0; i < 200; ++i) bad[random() % (1 << 20)] = static_cast<char>(random());
    std::ofstream(file, std::ios::binary) << bad;
    try {
      unpack(file);
    } catch (const HostError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
