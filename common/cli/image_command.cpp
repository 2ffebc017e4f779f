// typetwo image: words to image::make_image; the path of what it made goes to stdout, so that a
// script can write --root "$(typetwo image)".
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "monitor/tool/error.h"
#include "monitor/tool/message.h"
#include "workloads/image/image.h"

namespace cli {

using monitor::UsageError;

namespace {

const Help help = {
    "typetwo image [OPTIONS]",
    R"END(Makes a raw ext2 image of Debian packages that are installed on this host, with all they depend
on, as the host has them: by default bash, coreutils, findutils, grep, sed, gawk, dash,
busybox-static, libc-bin and cmake-data, and the programs of typetwo's workloads. Prints its path. An image that
was made of the same inputs stays as it is, with what guests have written to it: remove it to have it
made anew.

  typetwo exec --on standalone --root "$(typetwo image --with perl-base)" -- /bin/busybox ls /
)END"};

options::options_description visible_options() {
  options::options_description visible("options");
  auto add = visible.add_options();
  add("with", options::value<Words>()->composing()->multitoken()->value_name("PACKAGE..."),
      "these Debian packages as well; may be repeated");
  add("output", options::value<std::string>()->value_name("FILE"),
      "where to put the image (otherwise the build folder)");
  add("size", options::value<std::string>()->value_name("SIZE"),
      "size of the image, with K, M or G (otherwise its files' and 256 MiB)");
  add("directory", options::value<std::string>()->value_name("DIR"),
      "write the same files as a folder instead");
  add("list", "only print the packages and their versions");
  return visible;
}

void print_list(const Words& with) {
  for (const auto& package : image::image_packages(with)) {
    monitor::print("{} {}\n", package.name, package.version);
  }
}

}  // namespace

int image_main(const Words& words) {
  auto values = parse(words, visible_options(), help);
  if (!values) return 0;
  Words with = values->contains("with") ? (*values)["with"].as<Words>() : Words{};
  if (values->contains("list")) {
    print_list(with);
    return 0;
  }
  if (values->contains("directory")) {
    if (values->contains("output") || values->contains("size")) {
      throw UsageError("--directory makes a folder, not an image: leave out --output and --size");
    }
    auto folder = (*values)["directory"].as<std::string>();
    image::make_directory(with, folder);
    monitor::print("{}\n", folder);
    return 0;
  }
  image::ImageOptions wanted{.with = with, .output = "", .bytes = {}};
  if (values->contains("output")) wanted.output = (*values)["output"].as<std::string>();
  if (values->contains("size")) {
    wanted.bytes = parse_size((*values)["size"].as<std::string>(), "--size");
  }
  image::MadeImage made = image::make_image(wanted);
  if (!made.fresh) monitor::say("typetwo: made the image\n");
  monitor::print("{}\n", made.path);
  return 0;
}

}  // namespace cli
