// Error numbers of the guest's system-call ABI (Linux, x86-64). Names without the E.
#pragma once

namespace guest {

enum class Errno : int {
  ok = 0,
  perm = 1,
  noent = 2,
  srch = 3,
  intr = 4,
  io = 5,
  nxio = 6,
  toobig = 7,
  noexec = 8,
  badf = 9,
  child = 10,
  again = 11,
  nomem = 12,
  acces = 13,
  fault = 14,
  notblk = 15,
  busy = 16,
  exist = 17,
  xdev = 18,
  nodev = 19,
  notdir = 20,
  isdir = 21,
  inval = 22,
  nfile = 23,
  mfile = 24,
  notty = 25,
  txtbsy = 26,
  fbig = 27,
  nospc = 28,
  spipe = 29,
  rofs = 30,
  mlink = 31,
  pipe = 32,
  dom = 33,
  range = 34,
  deadlk = 35,
  nametoolong = 36,
  nolck = 37,
  nosys = 38,
  notempty = 39,
  loop = 40,
  nomsg = 42,
  idrm = 43,
  nodata = 61,
  proto = 71,
  overflow = 75,
  libbad = 80,
  notsock = 88,
  destaddrreq = 89,
  msgsize = 90,
  prototype = 91,
  noprotoopt = 92,
  protonosupport = 93,
  socktnosupport = 94,
  notsup = 95,
  afnosupport = 97,
  addrinuse = 98,
  addrnotavail = 99,
  netunreach = 101,
  connaborted = 103,
  connreset = 104,
  nobufs = 105,
  isconn = 106,
  notconn = 107,
  toomanyrefs = 109,
  timedout = 110,
  connrefused = 111,
  already = 114,
  inprogress = 115,
  canceled = 125,
  // -- Never seen by a guest program: a signal has ended the call's sleep, and once it is delivered
  // the call is made again, or fails with EINTR. Which of them is each call's own to say.
  restart = 512,                 // again if no handler has run, or one with SA_RESTART
  restart_always = 513,          // again
  restart_unless_handled = 514,  // again if no handler has run
  restart_time_left = 516,       // the same, with the deadline it had (syscall/restart.h)
};

constexpr bool is_restart(Errno error) {
  return error == Errno::restart || error == Errno::restart_always ||
         error == Errno::restart_unless_handled || error == Errno::restart_time_left;
}

}  // namespace guest
