#include "harness/core/error.h"

#include <csignal>

namespace harness {

namespace {
volatile std::sig_atomic_t interrupt_flag = 0;

extern "C" void set_interrupt_flag(int) {
  if (interrupt_flag != 0) std::_Exit(130);  // the second Ctrl-C does not wait for a safe point
  interrupt_flag = 1;
}
}  // namespace

void failed_check(const char* expression, const char* file, int line, const std::string& detail) {
  throw std::logic_error(fmt::format("{}:{}: check failed: {}: {}", file, line, expression, detail));
}

void install_interrupt_handler() {
  std::signal(SIGINT, set_interrupt_flag);
  std::signal(SIGTERM, set_interrupt_flag);
}

bool interrupt_requested() { return interrupt_flag != 0; }

void check_interrupt() {
  if (interrupt_requested()) throw Interrupted();
}

}  // namespace harness
