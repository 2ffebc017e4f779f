// Descriptors: lowest free number, limits, sharing, close-on-exec; and an open file's position.
#include "guest/vfs/file_table.h"

#include "guest/abi/file_flags.h"
#include "tests/unit/guest/fs_fixture.h"

namespace guest {
namespace {

class FileTableTest : public guest_test::FsTest {
 protected:
  FileTableTest() {
    table = FileTable::create().release();
    file = make(*root, "f")->open(abi::o_rdwr).release();
  }
  int install(bool cloexec = false, int minimum = 0) {
    auto fd = table->install(file, FileTable::limit, cloexec, minimum);
    return fd.ok() ? fd.value() : -static_cast<int>(fd.error());
  }
  Ref<FileTable> table;
  Ref<File> file;
};

TEST_F(FileTableTest, TheLowestFreeNumberIsTaken) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(install(), i);
  ASSERT_TRUE(table->close(40).ok());
  ASSERT_TRUE(table->close(7).ok());
  EXPECT_EQ(install(false, 10), 40);
  EXPECT_EQ(install(), 7);
  EXPECT_EQ(install(), 100);
  EXPECT_EQ(install(false, 200), 200);
  EXPECT_EQ(install(), 101);
}

TEST_F(FileTableTest, LimitsAndBadNumbers) {
  for (int i = 0; i < FileTable::limit; ++i) ASSERT_EQ(install(), i);
  EXPECT_EQ(install(), -static_cast<int>(Errno::mfile));
  EXPECT_EQ(table->get(-1).error(), Errno::badf);
  EXPECT_EQ(table->get(FileTable::limit).error(), Errno::badf);
  EXPECT_EQ(table->close(5000).error(), Errno::badf);
  EXPECT_EQ(table->install_at(FileTable::limit, file, FileTable::limit).error(), Errno::badf);
  ASSERT_TRUE(table->close(3).ok());
  EXPECT_EQ(table->close(3).error(), Errno::badf);
}

TEST_F(FileTableTest, InstallAtReplaces) {
  install();
  install();
  auto other = make(*root, "g")->open(abi::o_rdonly).release();
  ASSERT_TRUE(table->install_at(1, other, FileTable::limit).ok());
  EXPECT_EQ(table->get(1).value(), other);
  ASSERT_TRUE(table->install_at(2, other, FileTable::limit).ok());
  EXPECT_EQ(install(), 3);
}

TEST_F(FileTableTest, ClonesShareOpenFilesButNotSlots) {
  install(true);
  install();
  auto copy = table->clone().release();
  ASSERT_TRUE(table->close(1).ok());
  EXPECT_TRUE(copy->get(1).ok());
  copy->get(1).value()->position = 42;
  EXPECT_EQ(table->get(0).value()->position, 42u);
  copy->close_on_exec();
  EXPECT_FALSE(copy->get(0).ok());
  EXPECT_TRUE(copy->get(1).ok());
  EXPECT_TRUE(table->get(0).ok());
}

TEST_F(FileTableTest, CloseRange) {
  for (int i = 0; i < 10; ++i) install();
  table->close_range(3, 5, false);
  EXPECT_TRUE(table->get(2).ok());
  EXPECT_FALSE(table->get(4).ok());
  EXPECT_EQ(install(), 3);
  table->close_range(8, UINT32_MAX, true);
  table->close_on_exec();
  EXPECT_TRUE(table->get(7).ok());
  EXPECT_FALSE(table->get(9).ok());
}

TEST_F(FileTableTest, PositionsMoveAndAppendGoesToTheEnd) {
  to_user("0123456789");
  EXPECT_EQ(file->write(buffer, 10).value(), 10u);
  EXPECT_EQ(file->seek(-4, abi::seek_end).value(), 6u);
  EXPECT_EQ(file->read(buffer, 2).value(), 2u);
  EXPECT_EQ(from_user(2), "67");
  EXPECT_EQ(file->seek(1, abi::seek_cur).value(), 9u);
  EXPECT_EQ(file->seek(-10, abi::seek_cur).error(), Errno::inval);
  EXPECT_EQ(file->seek(0, 17).error(), Errno::inval);
  EXPECT_EQ(file->seek(0, abi::seek_set).value(), 0u);
  file->flags |= abi::o_append;
  EXPECT_EQ(file->write(buffer, 2).value(), 2u);
  EXPECT_EQ(file->inode().stat().size, 12u);
}

}  // namespace
}  // namespace guest
