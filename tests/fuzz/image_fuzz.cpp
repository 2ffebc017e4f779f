// The mutated-image fuzzer: ext2 images with damaged structures, used by a fixed script of
// operations. Mostly the guest kernel's ext2 under the sanitizers, over a disk in memory that
// throws at an access outside of it; every 100th image as the root of a real guest. Right: errors
// as errno. Wrong: panic, hang, or an access that the image must not lead to.
#include <filesystem>

#include "tests/fuzz/ext2_mutation.h"
#include "tests/fuzz/hosted.h"
#include "tests/support/tool.h"
#include "tests/unit/guest/ext2_fixture.h"

namespace {

using namespace guest;
using fuzz::Random;
namespace fs = std::filesystem;

class ImageFuzz : public guest_test::Ext2Test {
 public:
  explicit ImageFuzz(fuzz::Run& run) : run_(run) {
    make_sound_images();
    platform.store(buffer.value, 1);
  }

  void one_round() {
    Random random = run_.random();
    const bool in_guest = run_.round() % 100 == 99;
    used_ = 0;
    disk.image = in_guest ? bootable_ : sound_[random() % sound_.size()];
    what_ = fuzz::Ext2Mutation(disk.image, random).apply();
    if (in_guest) {
      use_in_guest();
    } else {
      use_hosted();
    }
  }

 private:
  void TestBody() override {}

  void make_sound_images() {
    const auto tree = folder / "tree";
    fs::create_directories(tree / "a/b/c/d");
    std::ofstream(tree / "a/large") << pattern(600'000, 1);  // through doubly indirect blocks
    std::ofstream(tree / "a/b/small") << "small";
    std::ofstream sparse(tree / "sparse");
    sparse.seekp(90'000'000) << "end";  // through triply indirect ones
    sparse.close();
    fs::create_symlink(std::string(80, 's'), tree / "a/slow");
    fs::create_symlink("b/small", tree / "a/fast");
    fs::create_hard_link(tree / "a/b/small", tree / "a/b/c/linked");
    fs::create_directory(tree / "many");
    for (int i = 0; i < 60; ++i)
      std::ofstream(tree / "many" / (std::string(30, 'n') + std::to_string(i))) << i;
    for (const char* options :
         {"-b 1024 -N 128 -g 1024", "-b 1024 -N 96 -I 128", "-b 4096 -N 128"}) {
      make_image(options + (" -d " + tree.string()), "2M");
      sound_.push_back(disk.image);
    }
    fs::create_directory(tree / "bin");
    fs::copy_file("/bin/busybox", tree / "bin/busybox");
    make_image("-b 1024 -N 128 -d " + tree.string(), "6M");
    bootable_ = disk.image;
  }

  // -- Hosted.

  void use_hosted() {
    ++run_.count("images");
    auto result = ext2::FileSystem::mount(disk);
    if (!result.ok()) return;
    ++run_.count("images mounted");
    mounted = result.value();
    if (auto root_node = mounted->root(); root_node.ok()) {
      top = root_node.release();
      use(*top, 4);
      (void)top->sync();
      top = {};
    }
    (void)mounted->unmount();
    delete mounted;
    mounted = nullptr;
  }

  std::vector<std::string> names_in(Inode& directory) {
    std::vector<std::string> names;
    std::uint64_t position = 0;
    while (names.size() < 100) {
      auto entry = directory.entry(position);
      if (!entry.ok()) break;
      names.emplace_back(entry.value().name);
    }
    return names;
  }

  void use(Inode& directory, int depth) {
    int used = 0;
    for (const auto& name : names_in(directory)) {
      if (name == "." || name == "..") continue;
      auto found = directory.lookup(name);
      ++run_.count("lookups");
      if (!found.ok() || ++used > 8) continue;
      use_file(*found.value());
      if (found.value()->is(mode_directory) && depth > 0) use(*found.value(), depth - 1);
      (void)directory.link("again", *found.value());
      (void)directory.rename(name, *top, "moved");
      (void)directory.rename("again", directory, name);
      (void)directory.unlink(name);
      (void)directory.rmdir(name);
    }
    auto made = directory.create("fresh", mode_regular | 0644, 0);
    if (made.ok()) use_file(*made.value());
    (void)directory.create("folder", mode_directory | 0755, 0);
    (void)directory.symlink("link", std::string(70, 't'));
    (void)directory.parent();
    (void)directory.space();
  }

  void use_file(Inode& inode) {
    const std::uint64_t size = inode.stat().size;
    (void)inode.target();
    if (inode.read(0, buffer, 50'000).ok()) ++run_.count("reads");
    (void)inode.read(size / 2, buffer, 5'000);
    if (inode.is(mode_regular)) (void)inode.pages(size / 8192, guest::Frames(4));
    if (inode.write(size, buffer, 3'000).ok()) ++run_.count("writes");
    (void)inode.write(size / 3, buffer, 2'000);
    (void)inode.truncate(size / 2);
    (void)inode.truncate(size + 100'000);
    (void)inode.set_mode(0600);
    (void)inode.set_owner(7, 70'000);
    if (++used_ % 16 == 0) (void)inode.sync();  // copies the whole disk here
  }

  // -- In a guest.

  void use_in_guest() {
    const std::string path = folder / "root";
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(disk.image.data()),
               static_cast<std::streamsize>(disk.image.size()));
    const bool extended = run_.round() % 200 == 199;
    const auto ran = support::exec(extended ? "extended" : "baseline",
                                   {"/bin/busybox", "sh", "-c",
                                    "cd /; b=/bin/busybox; $b find . -xdev > /dev/null; $b cat a/* "
                                    "a/b/* many/*; $b mv a/large many;"
                                    "$b cp many/large copy; $b ln a/b/small hard; $b rm -r a; $b "
                                    "mkdir new; echo x > new/x; $b sync"},
                                   {"--memory", "64M", "--timeout", "150", "--root", path});
    ++run_.count("images in guests");
    if (ran.status == 0) ++run_.count("images in guests to the end");
    const bool panicked =
        ran.err.find("panic") != ran.err.npos || ran.err.find("guest kernel") != ran.err.npos;
    if (!ran.in_time || ran.status == 124 || panicked) run_.fail(what_ + "\n" + ran.describe());
  }

 public:
  std::string what_;

 private:
  fuzz::Run& run_;
  std::vector<std::vector<std::uint8_t>> sound_;
  std::vector<std::uint8_t> bootable_;
  std::uint64_t used_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  fuzz::Run run("image", fuzz::parse(argc, argv));
  fuzz::watch_hosted(run);
  ImageFuzz images(run);
  for (; run.goes_on(); run.next_round()) {
    alarm(120);
    try {
      images.one_round();
    } catch (const std::exception& wrong) {
      run.fail(wrong.what() + (":" + images.what_));
      _exit(run.end());  // what it held is not to be used again
    }
  }
  return run.end();
}
