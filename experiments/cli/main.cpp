// medsbench: the program. Exit status: 0 success, 1 an error in one line on stderr, 2 a wrong command line, 130 interrupted.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "experiments/cli/every_method.h"
#include "experiments/cli/findings.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/nearest_name.h"
#include "harness/cuda/device.h"

namespace experiments {
namespace {

// A build with CUDA also says which GPU it would use.
std::string version_text() {
  std::string text = fmt::format("medsbench {} {}", MEDSBENCH_VERSION, this_program().commit);
#ifdef MEDSBENCH_CUDA
  const harness::cuda::Devices devices = harness::cuda::find_devices();
  text +=
      devices.count > 0 ? fmt::format("\nCUDA: {} x {}", devices.count, devices.name) : "\nCUDA: no GPU, " + devices.why_none;
#endif
  return text;
}

extern "C" void end_at_once(int) { std::_Exit(130); }

// The verbs that read lines have nothing to save, and wait for input: an interruption ends them at once. The others go on to
// their next safe point.
void prepare_for_interruption(const CommandLine& line) {
  for (const char* verb : {"inspect", "generate", "grade", "score"}) {
    if (!line.has(verb)) continue;
    std::signal(SIGINT, end_at_once);
    std::signal(SIGTERM, end_at_once);
    return;
  }
  harness::install_interrupt_handler();
}

void add_verbs(Verb app) {
  add_run(app);
  add_plan(app);
  add_check(app);
  add_status(app);
  add_clean(app);
  add_config(app);
  add_diff(app);
  add_keys(app);
  add_methods(app);
  add_table(app);
  add_verify(app);
  add_regrade(app);
  add_export(app);
  add_judge(app);
  add_data(app);
  add_model(app);
  add_import(app);
  add_jobs(app);
  add_lines(app);
}

int run_program(int argc, char** argv) {
  CommandLine line("medsbench: a reproducible benchmark of MEDS against exploration baselines", "medsbench", version_text);
  add_verbs(line.root());
  const std::vector<std::string> names = line.verbs();
  if (argc > 1 && argv[1][0] != '-' && std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    fmt::print(stderr, "medsbench: expected a verb (medsbench --help lists them), found {}{}\n", argv[1],
               harness::nearest_text(argv[1], names));
    return 2;
  }
  int status = 0;
  const std::function<int()> work = line.read(argc, argv, status);
  if (!work) return status;
  try {
    prepare_for_interruption(line);
    std::signal(SIGXFSZ, SIG_IGN);  // a file at its size limit is a write that fails, as on a full disk
    return work();
  } catch (const WrongUsage& error) {
    fmt::print(stderr, "medsbench: {}\n", error.what());
    return 2;
  } catch (const Forbidden&) {
    return 1;
  } catch (const harness::Interrupted&) {
    fmt::print(stderr, "medsbench: interrupted; what was finished is saved, the same command goes on from there\n");
    return 130;
  } catch (const std::exception& error) {
    fmt::print(stderr, "medsbench: {}\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace experiments

int main(int argc, char** argv) { return experiments::run_program(argc, argv); }
