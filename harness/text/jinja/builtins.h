// Jinja built-ins: filters, tests, attributes and methods of values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/text/jinja/value.h"

namespace harness::jinja {

// Whether there is a filter, or a test (`x is NAME`), of that name.
bool is_filter(const std::string& name);
bool is_test(const std::string& name);
// Both throw Error for arguments of the wrong kind.
Value apply_filter(const std::string& name, const Value& input, const CallArguments& arguments);
bool apply_test(const std::string& name, const Value& input, const CallArguments& arguments);

// value.name: an attribute or method, else the entry of a mapping. Throws Error for an undefined value.
Value get_attribute(const Value& value, const std::string& name);
// value[key]: an entry, else an attribute. Throws Error for an undefined value.
Value get_item(const Value& value, const Value& key);
// value[begin:end:step] of a string, list or tuple; none where left out.
Value get_slice(const Value& value, const Value& begin, const Value& end, const Value& step);
// A method bound to `value`; none where the value has no such method.
std::optional<Value> method_of(const Value& value, const std::string& name);

// An argument by place or name, or what stands in for it.
bool flag(const CallArguments& arguments, size_t place, std::string_view name, bool fallback);
std::string text_argument(const CallArguments& arguments, size_t place, std::string_view name, const std::string& fallback);

// Adds to a text that a template builds. Throws Error where it becomes longer than kLongestText.
void extend(std::string& text, std::string_view more);

// MarkupSafe's escape: & < > " ' of a text as HTML entities; Markup as it stands. The result is Markup.
Value escaped(const Value& value);
std::string escape_text(const std::string& text);

// Python's str methods that filters share. strip: `characters` (none: white space) are taken off the ends asked for.
std::string strip_text(const std::string& text, const std::optional<std::string>& characters, bool left, bool right);
// At most `count` times from the left; negative: all.
std::string replace_text(const std::string& text, const std::string& from, const std::string& to, int64_t count);
// The lines of a text as Python cuts them.
List split_lines(const std::string& text, bool keep_ends);
// "%s"-style formatting with a tuple of values or one; Markup escapes them. Throws Error for conversions other than s, r, d, i,
// f, x and %.
Value format_percent(const Value& pattern, const Value& values);
// str.format with {}, {0} and {name}; Markup escapes its values. Throws Error for format specifications.
Value format_braces(const Value& pattern, const CallArguments& arguments);

}  // namespace harness::jinja
