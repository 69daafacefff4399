// Jinja globals: the functions that a template finds by name.
#pragma once

#include <functional>
#include <memory>

#include "harness/text/jinja/scope.h"

namespace harness::jinja {

// raise_exception, range, namespace, dict, strftime_now. `keep` is handed each namespace that is made.
void add_globals(Scope& scope, std::function<void(const std::shared_ptr<Namespace>&)> keep);

}  // namespace harness::jinja
