// Jinja filters over the items of a sequence or a mapping.
#pragma once

#include "harness/text/jinja/value.h"

namespace harness::jinja {

// Throw Error for arguments of the wrong kind.
Value join_filter(const Value& input, const CallArguments& arguments);
Value sort_filter(const Value& input, const CallArguments& arguments);
Value dictsort_filter(const Value& input, const CallArguments& arguments);
Value unique_filter(const Value& input, const CallArguments& arguments);
Value sum_filter(const Value& input, const CallArguments& arguments);
Value extreme_filter(const Value& input, const CallArguments& arguments, bool largest);  // max, min
Value map_filter(const Value& input, const CallArguments& arguments);
// select and reject (not `wanted`), selectattr and rejectattr (`by_attribute`).
Value select_filter(const Value& input, const CallArguments& arguments, bool by_attribute, bool wanted);
Value items_filter(const Value& input);
Value edge_filter(const Value& input, bool first);  // first, last
Value reverse_filter(const Value& input);

}  // namespace harness::jinja
