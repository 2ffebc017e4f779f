// Path resolution: components, symlinks, slashes, roots, limits.
#include "guest/vfs/path.h"

#include "guest/vfs/fs_context.h"
#include "tests/unit/guest/fs_fixture.h"

namespace guest {
namespace {

class PathTest : public guest_test::FsTest {
 protected:
  PathTest() {
    a = make(*root, "a", mode_directory | 0755);
    b = make(*a, "b", mode_directory | 0755);
    file = make(*b, "file");
  }
  Result<PathResult> walk(const std::string& path, Last last = Last::follow) {
    return walk_path({Ref<Inode>(root), a}, String::from(path).release(), last);
  }
  Ref<Inode> found(const std::string& path, Last last = Last::follow) {
    auto result = walk(path, last);
    return result.ok() ? result.value().inode : Ref<Inode>();
  }
  Errno error(const std::string& path, Last last = Last::follow) {
    auto result = walk(path, last);
    return result.ok() ? Errno::ok : result.error();
  }
  void link(Inode& directory, const char* name, const std::string& target) {
    ASSERT_TRUE(directory.symlink(name, target).ok());
  }
  Ref<Inode> a, b, file;
};

TEST_F(PathTest, AbsoluteAndRelative) {
  EXPECT_EQ(found("/a/b/file"), file);
  EXPECT_EQ(found("b/file"), file);
  EXPECT_EQ(found("//a///b//file"), file);
  EXPECT_EQ(found("/a/./b/../b/./file"), file);
  EXPECT_EQ(found("/").get(), root.get());
  EXPECT_EQ(found(".."), Ref<Inode>(root));
  EXPECT_EQ(found("/../../a"), a);
}

TEST_F(PathTest, MissingAndMisplaced) {
  EXPECT_EQ(error(""), Errno::noent);
  EXPECT_EQ(error("/none"), Errno::noent);
  EXPECT_EQ(error("/none/x", Last::entry), Errno::noent);
  EXPECT_EQ(error("/a/b/file/x"), Errno::notdir);
  EXPECT_EQ(error("/a/b/file/"), Errno::notdir);
  EXPECT_EQ(error("/a/b/file/."), Errno::notdir);
  EXPECT_EQ(found("/a/b/"), b);
}

TEST_F(PathTest, NamesToBeMade) {
  auto result = walk("b/new", Last::entry);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.value().directory, b);
  EXPECT_EQ(result.value().last, "new");
  EXPECT_FALSE(result.value().inode);
  EXPECT_FALSE(result.value().trailing_slash);
  EXPECT_TRUE(walk("b/new//", Last::entry).value().trailing_slash);
  EXPECT_FALSE(walk("b/..", Last::entry).value().has_name());
}

TEST_F(PathTest, Symlinks) {
  link(*root, "absolute", "/a/b");
  link(*a, "relative", "b/file");
  link(*a, "dangling", "nowhere");
  EXPECT_EQ(found("/absolute/file"), file);
  EXPECT_EQ(found("relative"), file);
  EXPECT_TRUE(found("relative", Last::no_follow)->is(mode_symlink));
  EXPECT_EQ(found("/absolute/", Last::no_follow), b);
  EXPECT_TRUE(found("/absolute", Last::entry)->is(mode_symlink));
  EXPECT_EQ(error("/absolute/", Last::entry), Errno::notdir);
  EXPECT_EQ(error("dangling"), Errno::noent);
  auto made = walk("dangling", Last::follow_or_create);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made.value().directory, a);
  EXPECT_EQ(made.value().last, "nowhere");
}

TEST_F(PathTest, SymlinkLoopsEnd) {
  link(*root, "x", "y");
  link(*root, "y", "x");
  EXPECT_EQ(error("/x"), Errno::loop);
  link(*root, "l0", "a");
  for (int i = 1; i <= 40; ++i)
    link(*root, ("l" + std::to_string(i)).c_str(), "l" + std::to_string(i - 1));
  EXPECT_EQ(found("/l39"), a);
  EXPECT_EQ(error("/l40"), Errno::loop);
}

TEST_F(PathTest, LongNames) {
  EXPECT_EQ(error("/" + std::string(256, 'n')), Errno::nametoolong);
  EXPECT_EQ(error("/" + std::string(255, 'n')), Errno::noent);
}

TEST_F(PathTest, ARootBelowTheRootIsNotLeft) {
  link(*b, "up", "/file");
  PathStart jail{b, b};
  auto out = walk_path(jail, String::from("../../..").release(), Last::follow);
  EXPECT_EQ(out.value().inode, b);
  EXPECT_EQ(walk_path(jail, String::from("up").release(), Last::follow).value().inode, file);
}

TEST_F(PathTest, WorkingPath) {
  auto context = FsContext::create(Ref<Inode>(root)).release();
  EXPECT_EQ(context->working_path().value().view(), "/");
  context->cwd = b;
  EXPECT_EQ(context->working_path().value().view(), "/a/b");
  ASSERT_TRUE(a->rename("b", *root, "moved").ok());
  EXPECT_EQ(context->working_path().value().view(), "/moved");
  const guest::Place place = context->find("./file").release();
  EXPECT_EQ(context->shown_path_of(place, "old").value().view(), "/moved/file");
  ASSERT_TRUE(b->unlink("file").ok());
  EXPECT_EQ(context->shown_path_of(place, "old").value().view(), "/moved/old (deleted)");
  ASSERT_TRUE(root->rmdir("moved").ok());
  EXPECT_EQ(context->working_path().error(), Errno::noent);
}

}  // namespace
}  // namespace guest
