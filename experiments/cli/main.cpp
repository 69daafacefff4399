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
  const Verb experiment = app.section("An experiment, from plan to tables");
  add_run(experiment);
  add_plan(experiment);
  add_check(experiment);
  add_status(experiment);
  add_table(experiment);
  add_verify(experiment);
  add_claim(experiment);
  const Verb file = app.section("What an experiment may say");
  add_config(file);
  add_diff(file);
  add_keys(file);
  add_methods(file);
  const Verb inputs = app.section("Problems and models");
  add_data(inputs);
  add_model(inputs);
  add_import(inputs);
  const Verb results = app.section("More of what is finished");
  add_regrade(results);
  add_judge(results);
  add_export(results);
  add_results(results);
  add_clean(results);
  const Verb parts = app.section("The parts by themselves");
  add_lines(parts);
  add_jobs(parts);
}

constexpr const char* kFirstSteps =
    "First: medsbench run experiments/quickstart.toml (minutes, nothing to download). Your own experiment: medsbench plan "
    "FILE.toml, then run, then status FILE.toml.";

int run_program(int argc, char** argv) {
  CommandLine line("medsbench: a reproducible benchmark of MEDS against exploration baselines", "medsbench", version_text,
                   kFirstSteps);
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
