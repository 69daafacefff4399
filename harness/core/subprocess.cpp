#include "harness/core/subprocess.h"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/environment.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/io.hpp>
#include <boost/process/search_path.hpp>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "harness/core/error.h"

namespace harness {

namespace process = boost::process;

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// An unnamed file that lasts as long as it is open.
File temporary_file(const std::string& program) {
  File file(std::tmpfile(), &std::fclose);
  if (!file) throw Error("{}: expected room for its input and output in the temporary folder, found none", program);
  return file;
}

std::string content(std::FILE* file) {
  std::rewind(file);
  std::string text;
  char buffer[1 << 14];
  while (const size_t count = std::fread(buffer, 1, sizeof buffer, file)) text.append(buffer, count);
  return text;
}

}  // namespace

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
  return process::search_path(name).string();
}

int exit_status(int wait_status) { return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status); }

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw Error("process {}: expected its exit status, found none", pid);
  }
  return exit_status(status);
}

std::string own_program() {
  std::error_code code;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", code);
  if (code) throw Error("/proc/self/exe: expected this program's path, found: {}", code.message());
  return path.string();
}

pid_t start_process(const ProcessStart& start) {
  process::environment environment = boost::this_process::environment();
  for (const auto& [name, value] : start.environment) environment[name] = value;
  const File nothing(std::fopen("/dev/null", "r+e"), &std::fclose);
  if (!nothing) throw Error("/dev/null: expected a file that can be opened, found none");
  std::FILE* const in = start.in == nullptr ? nothing.get() : start.in;
  std::FILE* const out = start.out == nullptr ? nothing.get() : start.out;
  std::FILE* const err = start.err == nullptr ? out : start.err;
  const auto before_exec = process::extend::on_exec_setup([&](auto&) {
    if (start.before_exec) start.before_exec();
  });
  try {
    process::child child(process::exe = start.program, process::args = start.arguments, environment,
                         process::std_in<in, process::std_out> out, process::std_err > err, before_exec);
    child.detach();  // the caller waits for it
    return child.id();
  } catch (const process::process_error& error) {
    throw Error("{}: expected a program that starts, found: {}", start.program, error.code().message());
  }
}

ProcessResult run_process(const std::vector<std::string>& argv, std::string_view input) {
  MEDSBENCH_CHECK(!argv.empty(), "a program to run");
  const std::string program = find_program(argv.front());
  if (program.empty()) throw Error("{}: expected a program in PATH, found none", argv.front());
  // Files, not pipes: a program that does not read its input, or prints more than a pipe holds, blocks nobody.
  const File in = temporary_file(program), out = temporary_file(program), err = temporary_file(program);
  if (std::fwrite(input.data(), 1, input.size(), in.get()) != input.size() || std::fflush(in.get()) != 0) {
    throw Error("{}: expected room for its input in the temporary folder, found none", program);
  }
  std::rewind(in.get());
  const pid_t pid = start_process({program, {argv.begin() + 1, argv.end()}, {}, in.get(), out.get(), err.get(), {}});
  const int status = wait_for(pid);
  return {status, content(out.get()), content(err.get())};
}

}  // namespace harness
