// Jinja parser: a template's source as a syntax tree.
#pragma once

#include <string_view>

#include "harness/text/jinja_ast.h"

namespace harness::jinja {

// Throws Error with the line for a syntax error and for a construct, filter or test that is not supported.
Body parse_template(std::string_view source);

}  // namespace harness::jinja
