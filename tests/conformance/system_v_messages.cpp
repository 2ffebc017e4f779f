// Conformance, message queues of System V: order and types, lengths, full queues, waits.
#include <sys/ipc.h>
#include <sys/msg.h>

#include "interrupts.h"

namespace {

void* volatile const nowhere = reinterpret_cast<void*>(8);

struct Message {
  long type;
  char text[16];
};
struct Queue {
  int id = msgget(IPC_PRIVATE, 0600);
  Queue() { REQUIRE(id >= 0); }
  ~Queue() { msgctl(id, IPC_RMID, nullptr); }
  int send(long type, const char* text, int flags = 0) const {
    Message message = {type, {}};
    strcpy(message.text, text);
    return msgsnd(id, &message, strlen(text) + 1, flags);
  }
  // The text of the message that was asked for; "" when there is none.
  const char* receive(long type, int flags = IPC_NOWAIT) {
    last = {};
    return msgrcv(id, &last, sizeof last.text, type, flags) < 0 ? "" : last.text;
  }
  Message last = {};
};

}  // namespace

TEST(messages_come_in_order_or_by_type) {
  Queue q;
  for (const char* text : {"3a", "1b", "2c", "1d", "3e"}) CHECK_EQ(q.send(text[0] - '0', text), 0);
  CHECK(strcmp(q.receive(0), "3a") == 0 && q.last.type == 3);
  CHECK(strcmp(q.receive(1), "1b") == 0);
  CHECK(strcmp(q.receive(-2), "1d") == 0);
  CHECK(strcmp(q.receive(-2), "2c") == 0);
  CHECK(strcmp(q.receive(3, MSG_EXCEPT | IPC_NOWAIT), "") == 0 && errno == ENOMSG);
  CHECK_ERRNO(msgrcv(q.id, &q.last, 16, -2, IPC_NOWAIT), ENOMSG);
  CHECK(strcmp(q.receive(5, MSG_EXCEPT | IPC_NOWAIT), "3e") == 0);
  CHECK_ERRNO(msgrcv(q.id, &q.last, 16, 0, IPC_NOWAIT), ENOMSG);
}

TEST(lengths_of_messages) {
  Queue q;
  CHECK_EQ(q.send(1, "0123456789"), 0);
  CHECK_ERRNO(msgrcv(q.id, &q.last, 4, 0, 0), E2BIG);
  CHECK_EQ(msgrcv(q.id, &q.last, 4, 0, MSG_NOERROR), 4);
  CHECK(memcmp(q.last.text, "0123", 4) == 0);
  CHECK_ERRNO(msgrcv(q.id, &q.last, 4, 0, IPC_NOWAIT), ENOMSG);
  CHECK_EQ(msgsnd(q.id, &q.last, 0, 0), 0);
  CHECK_EQ(msgrcv(q.id, &q.last, 16, 0, 0), 0);
}

TEST(a_full_queue_makes_wait) {
  Queue q;
  static char large[sizeof(long) + 8192] = {1};
  CHECK_EQ(msgsnd(q.id, large, 8192, 0), 0);
  CHECK_EQ(msgsnd(q.id, large, 8192, 0), 0);
  CHECK_ERRNO(msgsnd(q.id, large, 1, IPC_NOWAIT), EAGAIN);
  const pid_t child = check::start_child([&] { return q.send(7, "late"); });
  usleep(20000);
  CHECK_EQ(msgrcv(q.id, large, 8192, 0, 0), 8192);
  CHECK(strcmp(q.receive(7, 0), "late") == 0);
  int status;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
  msqid_ds now;
  CHECK_EQ(msgctl(q.id, IPC_STAT, &now), 0);
  CHECK(now.msg_qnum == 1 && now.__msg_cbytes == 8192 && now.msg_lspid == child);
  CHECK_EQ(now.msg_lrpid, getpid());
}

TEST(what_ends_a_wait_for_messages) {
  Queue q;
  interrupt_soon();
  CHECK_ERRNO(msgrcv(q.id, &q.last, 16, 0, 0), EINTR);
  interrupt_no_more();
  const int id = msgget(IPC_PRIVATE, 0600);
  const pid_t child = check::start_child([&] {
    CHECK_ERRNO(msgrcv(id, &q.last, 16, 0, 0), EIDRM);
    return 0;
  });
  usleep(20000);
  CHECK_EQ(msgctl(id, IPC_RMID, nullptr), 0);
  int status;
  waitpid(child, &status, 0);
  // Before it waited, or while.
  CHECK(WIFEXITED(status));
  CHECK_ERRNO(msgrcv(id, &q.last, 16, 0, 0), EINVAL);
}

TEST(refused_of_messages) {
  Queue q;
  CHECK_ERRNO(q.send(0, "x"), EINVAL);
  CHECK_ERRNO(q.send(-1, "x"), EINVAL);
  CHECK_ERRNO(msgsnd(q.id, &q.last, 8193, 0), EINVAL);
  CHECK_ERRNO(msgsnd(-1, &q.last, 1, 0), EINVAL);
  CHECK_ERRNO(msgsnd(q.id, nowhere, 1, 0), EFAULT);
  CHECK_ERRNO(msgrcv(q.id, &q.last, -1, 0, 0), EINVAL);
  CHECK_ERRNO(msgrcv(-1, &q.last, 1, 0, 0), EINVAL);
  CHECK_EQ(q.send(1, "x"), 0);
  CHECK_ERRNO(msgrcv(q.id, nowhere, 16, 0, 0), EFAULT);
  CHECK_ERRNO(msgctl(q.id, 99, nullptr), EINVAL);
  CHECK_ERRNO(msgctl(q.id, IPC_STAT, static_cast<msqid_ds*>(nowhere)), EFAULT);
  CHECK_EXITED(check::in_child([&] {
                 REQUIRE(setgid(1000) == 0 && setuid(1000) == 0);
                 CHECK_ERRNO(q.send(1, "x"), EACCES);
                 CHECK_ERRNO(msgrcv(q.id, &q.last, 16, 0, IPC_NOWAIT), EACCES);
                 CHECK_ERRNO(msgctl(q.id, IPC_RMID, nullptr), EPERM);
                 return 0;
               }),
               0);
}
