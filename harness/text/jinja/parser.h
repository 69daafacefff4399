// Jinja parser: a template's source as a syntax tree.
#pragma once

#include <string_view>

#include "harness/text/jinja/ast.h"

namespace harness::jinja {

// Throws Error with the line for a syntax error and for a statement that is not supported. Filters and tests
// are looked up when they are reached, as in the reference, which forgives an unknown one in a branch that is not taken.
Body parse_template(std::string_view source);

}  // namespace harness::jinja
