// An ext2 image for HostedMachine: made by mke2fs from what its boot wants to find, and judged by
// e2fsck afterwards. Both work on files, in a folder that goes with the object.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace fuzz {

class Image {
 public:
  explicit Image(const std::vector<std::uint8_t>& program) {
    char name[] = "/tmp/fuzz-image-XXXXXX";
    folder_ = mkdtemp(name);
    for (const char* inside : {"bin", "dev", "proc", "tmp", "fuzz"})
      std::filesystem::create_directories(folder_ / "root" / inside);
    write(folder_ / "root/bin/p", program);
    std::filesystem::permissions(folder_ / "root/bin/p", std::filesystem::perms(0755));
    const std::string folder = folder_;
    if (std::system(("mke2fs -q -F -t ext2 -N 256 -d " + folder + "/root " + folder +
                     "/image 2M >/dev/null")
                        .c_str()) != 0)
      throw std::runtime_error("mke2fs cannot make an image");
    std::ifstream file(folder_ / "image", std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  ~Image() { std::filesystem::remove_all(folder_); }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  /// e2fsck finds nothing to mend, or says on stderr what.
  [[nodiscard]] bool sound(const std::vector<std::uint8_t>& image) const {
    write(folder_ / "checked", image);
    const std::string command = "e2fsck -fn " + std::string(folder_ / "checked");
    if (std::system((command + " >/dev/null 2>&1").c_str()) == 0) return true;
    (void)!std::system((command + " >&2").c_str());
    return false;
  }

  std::vector<std::uint8_t> bytes;

 private:
  static void write(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  std::filesystem::path folder_;
};

}  // namespace fuzz
