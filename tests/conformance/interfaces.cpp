// Conformance, the one interface that there is: how programs find it, by netlink and by ioctl; and
// the tables of sockets in /proc/net.
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "inet_sockets.h"

using namespace sockets;

namespace {

/// The line of a table that has `part`, or "".
const char* line_with(const char* table, const char* part) {
  static char line[512];
  FILE* file = fopen(table, "r");
  while (file && fgets(line, sizeof line, file))
    if (strstr(line, part)) {
      fclose(file);
      return line;
    }
  return "";
}

}  // namespace

TEST(getifaddrs_finds_the_loopback) {
  be_alone();
  ifaddrs* all = nullptr;
  CHECK_EQ(getifaddrs(&all), 0);
  int v4 = 0, v6 = 0;
  for (ifaddrs* one = all; one; one = one->ifa_next) {
    CHECK(strcmp(one->ifa_name, "lo") == 0);
    CHECK((one->ifa_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK));
    if (!one->ifa_addr) continue;
    Address address;
    const int family = one->ifa_addr->sa_family;
    if (family == AF_INET) {
      memcpy(&address.storage, one->ifa_addr, sizeof(sockaddr_in));
      v4 += address.is("127.0.0.1");
      CHECK_EQ(((sockaddr_in*)one->ifa_netmask)->sin_addr.s_addr, htonl(0xff000000));
    }
    if (family == AF_INET6) {
      memcpy(&address.storage, one->ifa_addr, sizeof(sockaddr_in6));
      v6 += address.is("::1");
    }
  }
  CHECK_EQ(v4, 1);
  CHECK_EQ(v6, 1);
  CHECK_EQ(if_nametoindex("lo"), 1);
  char name[IF_NAMESIZE] = {};
  CHECK(if_indextoname(1, name) && strcmp(name, "lo") == 0);
  CHECK_EQ(if_nametoindex("eth0"), 0);
}

TEST(ioctls_of_the_interface) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq one = {};
  strcpy(one.ifr_name, "lo");
  CHECK_EQ(ioctl(fd, SIOCGIFADDR, &one), 0);
  CHECK_EQ(((sockaddr_in*)&one.ifr_addr)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  CHECK_EQ(ioctl(fd, SIOCGIFMTU, &one), 0);
  CHECK_EQ(one.ifr_mtu, 65536);
  CHECK_EQ(ioctl(fd, SIOCGIFINDEX, &one), 0);
  CHECK_EQ(one.ifr_ifindex, 1);
  strcpy(one.ifr_name, "none");
  CHECK_ERRNO(ioctl(fd, SIOCGIFINDEX, &one), ENODEV);
  CHECK_ERRNO(ioctl(fd, SIOCGIFINDEX, 8), EFAULT);
}

TEST(netlink_answers) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  REQUIRE(fd >= 0);
  sockaddr_nl own = {};
  own.nl_family = AF_NETLINK;
  CHECK_EQ(bind(fd, (sockaddr*)&own, sizeof own), 0);
  socklen_t bytes = sizeof own;
  CHECK_EQ(getsockname(fd, (sockaddr*)&own, &bytes), 0);
  CHECK_EQ(own.nl_pid, getpid());
  struct {
    nlmsghdr header;
    rtgenmsg family;
  } ask = {};
  ask.header.nlmsg_len = NLMSG_LENGTH(sizeof ask.family);
  ask.header.nlmsg_type = 999;
  ask.header.nlmsg_flags = NLM_F_REQUEST;
  ask.header.nlmsg_seq = 7;
  CHECK_EQ(send(fd, &ask, sizeof ask, 0), (long)sizeof ask);
  alignas(nlmsghdr) char buffer[8192];
  const long got = recv(fd, buffer, sizeof buffer, 0);
  auto* reply = (nlmsghdr*)buffer;
  CHECK(got >= (long)NLMSG_LENGTH(sizeof(nlmsgerr)));
  CHECK_EQ(reply->nlmsg_type, NLMSG_ERROR);
  CHECK_EQ(reply->nlmsg_seq, 7);
  CHECK_EQ(((nlmsgerr*)NLMSG_DATA(reply))->error, -EOPNOTSUPP);
  CHECK_ERRNO(recv(fd, buffer, 1, MSG_DONTWAIT), EAGAIN);
  CHECK_ERRNO(socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
}

TEST(tables_of_sockets) {
  Connection both;
  char part[64], inode[32];
  struct stat s;
  CHECK_EQ(fstat(both.listener, &s), 0);
  snprintf(part, sizeof part, "0100007F:%04X 00000000:0000 0A", name_of(both.listener).port());
  snprintf(inode, sizeof inode, " %lu ", (unsigned long)s.st_ino);
  const char* line = line_with("/proc/net/tcp", part);
  CHECK(strstr(line, inode) != nullptr);
  CHECK_EQ(strlen(line), 150);
  snprintf(part, sizeof part, "0100007F:%04X 0100007F:%04X 01", name_of(both.client).port(),
           name_of(both.listener).port());
  CHECK(*line_with("/proc/net/tcp", part));
  int udp = socket(AF_INET6, SOCK_DGRAM, 0);
  CHECK_EQ(bind_to(udp, Address("::1", 0)), 0);
  snprintf(part, sizeof part, "00000000000000000000000001000000:%04X", name_of(udp).port());
  line = line_with("/proc/net/udp6", part);
  CHECK(strstr(line, " 07 ") != nullptr);
  LocalName name("@typetwo-table");
  int local = local_listener(name);
  CHECK(local >= 0);
  CHECK(strstr(line_with("/proc/net/unix", "@typetwo-table"), " 00010000 0001 01 ") != nullptr);
}
