// System calls on sockets: see table.h.
#pragma once

// X(number, name, support, note)
// socket_calls.cpp
#define GUEST_SYSCALLS_SOCKETS(X)                                                 \
  X(41, socket, partly,                                                           \
    "AF_UNIX, AF_INET and AF_INET6 within the guest; NETLINK_ROUTE can be asked") \
  X(42, connect, partly, "outside only TCP, and where --connect allows it")       \
  X(43, accept, full, "")                                                         \
  X(48, shutdown, full, "")                                                       \
  X(49, bind, partly, "no multicast or broadcast addresses")                      \
  X(50, listen, full, "")                                                         \
  X(51, getsockname, full, "")                                                    \
  X(52, getpeername, full, "")                                                    \
  X(53, socketpair, full, "")                                                     \
  X(54, setsockopt, partly, "what programs set; others ENOPROTOOPT")              \
  X(55, getsockopt, partly, "as setsockopt")                                      \
  X(288, accept4, full, "")                                                       \
  GUEST_SYSCALLS_MESSAGES(X)

// message_calls.cpp
#define GUEST_SYSCALLS_MESSAGES(X)                                \
  X(44, sendto, partly, "no urgent data; MSG_MORE sends at once") \
  X(45, recvfrom, partly, "no urgent data, no error queue")       \
  X(46, sendmsg, partly, "as sendto")                             \
  X(47, recvmsg, partly, "as recvfrom")                           \
  X(299, recvmmsg, partly, "as recvfrom")                         \
  X(307, sendmmsg, partly, "as sendto")
