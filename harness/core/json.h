// JSON: nlohmann's type, JSON lines with places in their errors, numbers that read back to the same value.
#pragma once

#include <functional>
#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>

namespace harness {

using Json = nlohmann::json;                 // keys sorted: canonical
using OrderedJson = nlohmann::ordered_json;  // keys in the order written

// The double whose JSON text is the shortest decimal that reads back to the same float (NaN stays NaN: printed as null).
double json_float(float value);
// Parses one document; the second keeps the order of keys. Throws Error("expected JSON, found ... at byte N"), which names NaN,
// other encodings than UTF-8, lone surrogates, a Git LFS pointer and an HTML page.
Json parse_json(std::string_view text);
OrderedJson parse_ordered_json(std::string_view text);
// The same for what is to be read digit by digit: a number that reading as 64 bits or a double would write otherwise
// (123456789012345678901234567890, 1e3, 1.50) stands as a text, as it was written.
Json parse_json_keeping_digits(std::string_view text);
// What nlohmann's exception says, without its name: "type must be string, but is number".
std::string problem_of(const Json::exception& error);
// Typed access. Throws Error(`"key": expected a string, found a number`) or (`expected the field "key", found none`).
std::string text_field(const Json& object, const std::string& key);
double number_field(const Json& object, const std::string& key);
int64_t integer_field(const Json& object, const std::string& key);
bool boolean_field(const Json& object, const std::string& key);
// Compact, on one line, no trailing newline, invalid UTF-8 replaced by U+FFFD.
std::string dump_line(const Json& value);
std::string dump_line(const OrderedJson& value);

// Runs `answer` over each line of `in` and writes what it returns, one line of JSON each. An Error becomes
// {"error": "..."} in its place and the other lines are still answered. Returns the exit status: 0, or 1 after any error.
int answer_lines(std::istream& in, std::ostream& out, const std::function<OrderedJson(const Json& line)>& answer);
// The same where a line has any number of answer lines.
int answer_lines_many(std::istream& in, std::ostream& out,
                      const std::function<void(const Json& line, const std::function<void(const OrderedJson&)>& emit)>& answer);

}  // namespace harness
