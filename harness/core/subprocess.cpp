#include "harness/core/subprocess.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/process.hpp>
#include <cstdio>
#include <future>
#include <memory>

#include "harness/core/error.h"

namespace harness {

namespace process = boost::process;

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
  return process::search_path(name).string();
}

ProcessResult run_process(const std::vector<std::string>& argv, std::string_view input) {
  MEDSBENCH_CHECK(!argv.empty(), "a program to run");
  const std::string program = find_program(argv.front());
  if (program.empty()) throw Error("{}: expected a program in PATH, found none", argv.front());
  // The input lies in an unnamed file, so that a program that does not read it can neither block nor signal this one.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  if (!file || std::fwrite(input.data(), 1, input.size(), file.get()) != input.size() || std::fflush(file.get()) != 0) {
    throw Error("{}: expected room for its input in the temporary folder, found none", program);
  }
  std::rewind(file.get());

  boost::asio::io_context context;
  std::future<std::string> out;
  std::future<std::string> err;
  try {
    process::child child(process::exe = program, process::args = std::vector<std::string>(argv.begin() + 1, argv.end()),
                         process::std_in<file.get(), process::std_out> out, process::std_err > err, context);
    context.run();
    child.wait();
    const int native = child.native_exit_code();
    return {WIFSIGNALED(native) ? 128 + WTERMSIG(native) : child.exit_code(), out.get(), err.get()};
  } catch (const process::process_error& error) {
    throw Error("{}: expected a program that starts, found {}", program, error.code().message());
  }
}

}  // namespace harness
