// WaitQueue: who is told of what, and listeners that come and go while they are told.
#include "guest/sched/wait_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "guest/abi/file_flags.h"

namespace {

using namespace guest;
namespace abi = guest::abi;
using testing::ElementsAre;
using testing::IsEmpty;

struct WaitQueueTest : testing::Test {
  /// Not a thread: does what it likes when told.
  struct Ear : Listener {
    Ear(WaitQueueTest& test, std::string name, Events wanted = any_event)
        : Listener(told, this, wanted), test(test), name(std::move(name)) {}
    ~Ear() { WaitQueue::remove(*this); }
    static void told(Listener& listener, Events happened) {
      auto& self = *static_cast<Ear*>(listener.owner);
      self.test.heard.push_back(self.name);
      self.last = happened;
      if (self.then) self.then();
    }
    WaitQueueTest& test;
    std::string name;
    Events last = 0;
    std::function<void()> then;
  };

  std::vector<std::string> notify(Events happened = any_event) {
    heard.clear();
    queue.notify(happened);
    return heard;
  }

  WaitQueue queue;
  std::vector<std::string> heard;
  Ear a{*this, "a"}, b{*this, "b"}, c{*this, "c"};
};

TEST_F(WaitQueueTest, TellsNobodyWhereNobodyListens) {
  EXPECT_THAT(notify(), IsEmpty());
}

TEST_F(WaitQueueTest, TellsAllInTheOrderTheyCame) {
  for (Ear* ear : {&a, &b, &c}) queue.add(*ear);
  EXPECT_THAT(notify(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(notify(), ElementsAre("a", "b", "c")) << "each time, looked or not";
  queue.remove(b);
  EXPECT_THAT(notify(), ElementsAre("a", "c"));
}

TEST_F(WaitQueueTest, TellsWhatIsWanted) {
  a.wanted = abi::poll_in | abi::poll_hup;
  b.wanted = abi::poll_out;
  c.wanted = 0;
  for (Ear* ear : {&a, &b, &c}) queue.add(*ear);
  EXPECT_THAT(notify(abi::poll_in | abi::poll_rdnorm), ElementsAre("a"));
  EXPECT_EQ(a.last, abi::poll_in | abi::poll_rdnorm) << "all that has happened";
  EXPECT_THAT(notify(abi::poll_out), ElementsAre("b"));
  EXPECT_THAT(notify(abi::poll_hup | abi::poll_out), ElementsAre("a", "b"));
  EXPECT_THAT(notify(abi::poll_pri), IsEmpty());
}

TEST_F(WaitQueueTest, AListenerMayLeave) {
  for (Ear* ear : {&a, &b, &c}) queue.add(*ear);
  b.then = [&] { queue.remove(b); };
  EXPECT_THAT(notify(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(notify(), ElementsAre("a", "c"));
}

TEST_F(WaitQueueTest, AListenerMayTakeOthersAlong) {
  for (Ear* ear : {&a, &b, &c}) queue.add(*ear);
  b.then = [&] {
    for (Ear* ear : {&a, &b, &c}) queue.remove(*ear);
  };
  EXPECT_THAT(notify(), ElementsAre("a", "b"));
  EXPECT_THAT(notify(), IsEmpty());
}

TEST_F(WaitQueueTest, AListenerMayTakeTheNextAlong) {
  for (Ear* ear : {&a, &b, &c}) queue.add(*ear);
  a.then = [&] { queue.remove(b); };
  EXPECT_THAT(notify(), ElementsAre("a", "c"));
}

TEST_F(WaitQueueTest, WhoComesMeanwhileIsToldNextTime) {
  queue.add(a);
  a.then = [&] {
    queue.remove(a);
    queue.add(a);
    if (b.node.linked()) return;
    queue.add(b);
  };
  EXPECT_THAT(notify(), ElementsAre("a"));
  EXPECT_THAT(notify(), ElementsAre("a", "b"));
}

TEST_F(WaitQueueTest, AListenerMayNotifyTheSameQueue) {
  for (Ear* ear : {&a, &b, &c}) queue.add(*ear);
  b.wanted = c.wanted = abi::poll_out;
  a.wanted = abi::poll_in;
  a.then = [&] {
    queue.remove(b);
    queue.notify(abi::poll_out);
  };
  EXPECT_THAT(notify(abi::poll_in | abi::poll_out), ElementsAre("a", "c", "c"));
}

TEST_F(WaitQueueTest, AQueueMayListenToAnother) {
  WaitQueue outer;
  outer.add(b);
  queue.add(a);
  a.then = [&] { outer.notify(abi::poll_in); };
  EXPECT_THAT(notify(abi::poll_hup), ElementsAre("a", "b"));
  EXPECT_EQ(b.last, abi::poll_in);
}

}  // namespace
