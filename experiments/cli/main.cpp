// medsbench: the program. Exit status: 0 success, 1 an error in one line on stderr, 2 a wrong command line, 130 interrupted.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "experiments/cli/commit.h"
#include "experiments/cli/verbs.h"
#include "harness/core/config.h"
#include "harness/core/error.h"
#include "harness/cuda/device.h"

namespace experiments {
namespace {

// A build with CUDA also says which GPU it would use.
std::string version_text() {
  std::string text = fmt::format("medsbench {} {}", MEDSBENCH_VERSION, kCommit);
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
void prepare_for_interruption(const CLI::App& app) {
  for (const char* verb : {"inspect", "generate", "grade", "score"}) {
    if (!app.got_subcommand(verb)) continue;
    std::signal(SIGINT, end_at_once);
    std::signal(SIGTERM, end_at_once);
    return;
  }
  harness::install_interrupt_handler();
}

void add_verbs(CLI::App& app, Chosen& chosen) {
  CLI::App* inspect = app.add_subcommand("inspect", "the parts by themselves: JSON lines in, JSON lines out");
  inspect->require_subcommand(1);

  // Verbs, in the order in which --help lists them. Keep the list of experiments/cli/CMakeLists.txt beside it.
  add_grade(app, chosen);
  add_score(app, chosen);
  add_table(app, chosen);
  add_verify(app, chosen);
  add_regrade(app, chosen);
  add_export(app, chosen);
  add_judge(app, chosen);
  add_import(app, chosen);
  add_data(app, chosen);
  add_model(app, chosen);
  add_inspect_tokens(*inspect, chosen);
  add_inspect_clusters(*inspect, chosen);
  add_inspect_memory(*inspect, chosen);
#ifdef MEDSBENCH_TORCH
  add_run(app, chosen);
  add_plan(app, chosen);
  add_status(app, chosen);
  add_clean(app, chosen);
  add_config(app, chosen);
  add_diff(app, chosen);
  add_train(app, chosen);
  add_eval(app, chosen);
  add_pretrain(app, chosen);
  add_generate(app, chosen);
  add_inspect_logits(*inspect, chosen);
  add_inspect_fingerprint(*inspect, chosen);
  add_inspect_loss(*inspect, chosen);
  add_methods(app, chosen);
#endif
}

int run_program(int argc, char** argv) {
  CLI::App app{"medsbench: a reproducible benchmark of MEDS against exploration baselines", "medsbench"};
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text);
  Chosen chosen;
  add_verbs(app, chosen);
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(verb->get_name());
  if (argc > 1 && argv[1][0] != '-' && std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    fmt::print(stderr, "medsbench: expected a verb, found {}; the nearest is {} (medsbench --help lists them)\n", argv[1],
               harness::nearest_name(argv[1], names));
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    prepare_for_interruption(app);
    std::signal(SIGXFSZ, SIG_IGN);  // a file at its size limit is a write that fails, as on a full disk
    return chosen();
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
