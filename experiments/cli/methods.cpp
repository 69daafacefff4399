#include <fmt/format.h>

#include <memory>

#include "experiments/cli/every_method.h"
#include "experiments/cli/methods_page.h"
#include "experiments/cli/verbs.h"

namespace experiments {

void add_methods(CLI::App& app, Chosen& chosen) {
  CLI::App* verb = app.add_subcommand("methods", "every method with source, base, keys, defaults, ranges");
  auto format = std::make_shared<std::string>("text");
  verb->add_option("--format", *format, "text or md")->check(CLI::IsMember({"text", "md"}));
  verb->callback([format, &chosen] {
    chosen = [format] {
      fmt::print("{}", *format == "md" ? methods_markdown(every_method()) : methods_text(every_method()));
      return 0;
    };
  });
}

}  // namespace experiments
