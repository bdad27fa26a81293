// What is left of the file of a process that a signal ends.
#include "runtime/signals.h"
#include "tensor.h"
#include <climits>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace test;

namespace {

const char path[] = "signals_test.doomed";

void test_refusals() {
  for (int64_t bytes : {INT64_MIN, int64_t(-1), int64_t(0), int64_t(sizeof path) - 1, INT64_MAX})
    check(hm_remove_on_signals(path, bytes) == 1 && std::strstr(hm_error(), "hm_remove_on_signals"), "paths of absurd length");
}

void test_endings(bool removes) {
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    std::fclose(std::fopen(path, "w"));
    const pid_t child = fork();
    if (child == 0) {
      if (hm_remove_on_signals(path, sizeof path) || (!removes && hm_remove_on_signals(nullptr, 0))) _exit(1);
      raise(number);
      _exit(2);
    }
    int status = 0;
    waitpid(child, &status, 0);
    check(WIFSIGNALED(status) && WTERMSIG(status) == number, "the signal ends the process as it does by itself");
    check((std::remove(path) == 0) != removes, removes ? "the file goes with its process" : "the file stays");
  }
}

} // namespace

int main() {
  test_refusals();
  test_endings(true), test_endings(false);
  return report("signals");
}
