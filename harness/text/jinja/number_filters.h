// Jinja filters that make numbers, as Python does.
#pragma once

#include "harness/text/jinja/value.h"

namespace harness::jinja {

// Throw Error for undefined values, for arguments of the wrong kind and for integers beyond 64 bits.
Value abs_filter(const Value& input, const CallArguments& arguments);
Value int_filter(const Value& input, const CallArguments& arguments);
Value float_filter(const Value& input, const CallArguments& arguments);
Value round_filter(const Value& input, const CallArguments& arguments);

}  // namespace harness::jinja
