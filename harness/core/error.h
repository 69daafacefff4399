// Error: what the user can fix, in one line: place, what was expected, what was found.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace harness {

// Thrown for bad input (configuration, dataset, model folder, checkpoint, tokenizer, disk). It gathers context on its way up:
// each caller that knows more of the place prepends it, so that the user reads
// `experiments/quickstart.toml: line 17: loss.clip_low: expected a number in [0, 1), found 2`.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
  template <typename... Args>
  explicit Error(fmt::format_string<Args...> format, Args&&... args)
      : std::runtime_error(fmt::format(format, std::forward<Args>(args)...)) {}

  // The same error with `place: ` before it.
  [[nodiscard]] Error within(const std::string& place) const { return Error(place + ": " + what()); }
};

// Runs `body`; an Error that leaves it gets `place: ` prepended.
template <typename Body>
auto with_context(const std::string& place, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Error& error) {
    throw error.within(place);
  }
}

// A broken promise between two parts of the program (not the user's fault): std::logic_error.
[[noreturn]] void failed_check(const char* expression, const char* file, int line, const std::string& detail);

// Raised by Ctrl-C (SIGINT, SIGTERM) at the next safe point; the program then exits with 130.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

// Installs the SIGINT/SIGTERM handler that sets a flag.
void install_interrupt_handler();
// Whether the flag is set; for code that must not throw.
bool interrupt_requested();
// Throws Interrupted once the flag is set. Call it where state is safe to leave.
void check_interrupt();

}  // namespace harness

// Checks what only a programmer can break. CHECK(a == b, "shapes {} and {}", ...).
#define MEDSBENCH_CHECK(condition, ...)                                                                  \
  do {                                                                                                   \
    if (!(condition)) ::harness::failed_check(#condition, __FILE__, __LINE__, fmt::format(__VA_ARGS__)); \
  } while (false)
