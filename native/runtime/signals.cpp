#include "runtime/signals.h"
#include "runtime/checked.h"
#include "runtime/view.h"
#include <csignal>
#include <cstring>
#include <string>
#include <unistd.h>

namespace {

constexpr int ending[] = {SIGINT, SIGTERM, SIGHUP};

// What the handler reads. It changes only while signals have no handler.
std::string doomed;

// Calls nothing but what may be called in the middle of anything.
void remove_and_end(int number) {
  const char *path = doomed.data(), *const end = path + doomed.size();
  for (; path < end; path += std::strlen(path) + 1) unlink(path);
  std::signal(number, SIG_DFL);
  raise(number);
}

int handle_by(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  for (int number : ending) sigaddset(&action.sa_mask, number);
  for (int number : ending)
    if (sigaction(number, &action, nullptr)) return hm::fail("hm_remove_on_signals: signal %d has no handler", number);
  return 0;
}

} // namespace

int hm_remove_on_signals(const char *paths, int64_t bytes) {
  if (!paths) return handle_by(SIG_DFL);
  if (bytes < 1 || bytes > hm::most_bytes || paths[bytes - 1] != 0)
    return hm::fail("hm_remove_on_signals: expected paths that each end with a zero, got %lld bytes", (long long)bytes);
  return hm::guarded("hm_remove_on_signals", [&] {
    if (int problem = handle_by(SIG_DFL)) return problem;
    doomed.assign(paths, size_t(bytes));
    return handle_by(remove_and_end);
  });
}
