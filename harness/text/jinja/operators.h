// Jinja operators, with Python's meaning.
#pragma once

#include <string>

#include "harness/text/jinja/value.h"

namespace harness::jinja {

// + - * / // % ** ~. Throws Error for operands Python refuses and for results beyond 64 bits.
Value binary(const std::string& name, const Value& left, const Value& right);
// == != < <= > >= in, not in. Throws Error where Python has no order, or for a right side that contains nothing.
bool compare(const std::string& name, const Value& left, const Value& right);
// Throw Error for what is no number; -x beyond 64 bits too.
Value negative(const Value& value);
Value positive(const Value& value);
// range(end), range(begin, end), range(begin, end, step), at most 100000 items.
Value make_range(const CallArguments& arguments);

}  // namespace harness::jinja
