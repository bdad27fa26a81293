// A link between two network namespaces: two TAP devices, and this process between them, which passes every frame on at a given
// rate and after a given time. It does what `tc netem delay ... rate ...` does where the kernel has it.
//
//   link NAMESPACE1 NAMESPACE2 BYTES_PER_SECOND SECONDS MTU
//
// makes a device hm0 in each namespace, prints "ready", and passes frames until it is killed.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vector>

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int tap(const char* space) {
  const std::string path = std::string("/var/run/netns/") + space;
  const int ns = open(path.c_str(), O_RDONLY);
  if (ns < 0 || setns(ns, CLONE_NEWNET) != 0) fail(space);
  close(ns);
  const int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  ifreq request = {};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  strcpy(request.ifr_name, "hm0");
  if (device < 0 || ioctl(device, TUNSETIFF, &request) != 0) fail("/dev/net/tun");
  return device;
}

struct Frame {
  double due;
  std::vector<char> bytes;
};

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const double rate = atof(argv[3]), delay = atof(argv[4]);
  std::vector<char> room(atoi(argv[5]) + 64);
  const int devices[2] = {tap(argv[1]), tap(argv[2])};
  std::deque<Frame> queues[2];
  double free_at[2] = {0, 0};
  // Frames in the queue for longer than this are lost, as in the buffer of a switch.
  const double most_behind = 0.2;
  puts("ready");
  fflush(stdout);
  for (;;) {
    double wait = 1;
    for (int to = 0; to < 2; to++)
      if (!queues[to].empty()) {
        const double left = queues[to].front().due - now();
        wait = left < wait ? left : wait;
      }
    pollfd polls[2] = {{devices[0], POLLIN, 0}, {devices[1], POLLIN, 0}};
    timespec timeout = {};
    if (wait > 0) {
      timeout.tv_sec = (time_t)wait;
      timeout.tv_nsec = (long)(1e9 * (wait - (double)timeout.tv_sec));
    }
    ppoll(polls, 2, &timeout, nullptr);
    for (int from = 0; from < 2; from++) {
      const int to = 1 - from;
      for (ssize_t n; (n = read(devices[from], room.data(), room.size())) > 0;) {
        const double start = free_at[from] > now() ? free_at[from] : now();
        if (start - now() > most_behind) continue;
        free_at[from] = start + n / rate;
        queues[to].push_back({free_at[from] + delay, std::vector<char>(room.data(), room.data() + n)});
      }
    }
    for (int to = 0; to < 2; to++)
      while (!queues[to].empty() && queues[to].front().due <= now()) {
        const auto& bytes = queues[to].front().bytes;
        if (write(devices[to], bytes.data(), bytes.size()) < 0) break;
        queues[to].pop_front();
      }
  }
}
