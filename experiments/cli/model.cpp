// model: model folders by name from a hub.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "experiments/cli/fetch_bar.h"
#include "experiments/cli/verbs.h"
#include "harness/hub/hub.h"

namespace experiments {

void add_model(CLI::App& app, Chosen& chosen) {
  CLI::App* model = app.add_subcommand("model", "model folders from a hub");
  model->require_subcommand(1);
  CLI::App* fetch = model->add_subcommand(
      "fetch",
      "into the hub's cache, resumable and checked; prints the folder (HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_OFFLINE)");
  const auto name = std::make_shared<std::string>();
  const auto parallel = std::make_shared<int64_t>(4);
  fetch->add_option("name", *name, "ORG/NAME or ORG/NAME@REVISION")->required();
  fetch->add_option("--parallel", *parallel, "files at a time")->check(CLI::Range(1, 64));
  fetch->callback([name, parallel, &chosen] {
    chosen = [name, parallel] {
      harness::HubSettings settings = harness::hub_settings();
      settings.parallel = *parallel;
      const auto repository = harness::parse_repository(harness::RepositoryKind::model, *name);
      FetchBar bar(repository.name);
      fmt::print("{}\n", harness::fetch_repository(settings, repository, harness::is_model_file, bar.report()));
      return 0;
    };
  });
}

}  // namespace experiments
