#include "harness/text/tokenizer/added_tokens.h"

#include <utf8proc.h>

#include "harness/core/utf8.h"
#include "harness/text/tokenizer/json_part.h"
#include "harness/text/unicode/newer_characters.h"
#include "harness/text/unicode/properties.h"

namespace harness {

namespace {

// Letters, marks, decimal digits, connectors and joiners: what \w means in Unicode Technical Standard 18.
bool is_word_character(char32_t value) {
  if (value == 0x200C || value == 0x200D) return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(known_character(value)))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    // Circled and squared letters are alphabetic symbols.
    case UTF8PROC_CATEGORY_SO:
      return (value >= 0x24B6 && value <= 0x24E9) || (value >= 0x1F130 && value <= 0x1F149) ||
             (value >= 0x1F150 && value <= 0x1F169) || (value >= 0x1F170 && value <= 0x1F189);
    default:
      return false;
  }
}

size_t begin_of_last_character(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

bool ends_with_word(std::string_view text) {
  return !text.empty() && is_word_character(code_point_at(text, begin_of_last_character(text)).value);
}

bool starts_with_word(std::string_view text) { return !text.empty() && is_word_character(code_point_at(text, 0).value); }

size_t without_spaces_at_end(std::string_view text) {
  while (!text.empty()) {
    const size_t last = begin_of_last_character(text);
    if (!is_white_space(code_point_at(text, last).value)) break;
    text = text.substr(0, last);
  }
  return text.size();
}

size_t spaces_at_start(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const CodePoint point = code_point_at(text, at);
    if (!is_white_space(point.value)) break;
    at += static_cast<size_t>(point.length);
  }
  return at;
}

}  // namespace

void AddedTokenMatcher::add(const std::string& pattern, const AddedToken& token) {
  if (pattern.empty()) return;
  if (nodes_.empty()) nodes_.emplace_back();
  uint32_t node = 0;
  for (const char c : pattern) {
    const auto byte = static_cast<unsigned char>(c);
    uint32_t next = child(node, byte);
    if (next == 0) {
      next = static_cast<uint32_t>(nodes_.size());
      nodes_[node].children.emplace_back(byte, next);
      nodes_.emplace_back();
    }
    node = next;
  }
  if (nodes_[node].token >= 0) return;  // the first of two with the same pattern wins
  nodes_[node].token = static_cast<int32_t>(tokens_.size());
  tokens_.push_back(token);
}

uint32_t AddedTokenMatcher::child(uint32_t node, unsigned char byte) const {
  for (const auto& [key, next] : nodes_[node].children) {
    if (key == byte) return next;
  }
  return 0;
}

std::pair<int32_t, size_t> AddedTokenMatcher::longest_at(std::string_view text, size_t at) const {
  std::pair<int32_t, size_t> best{-1, 0};
  uint32_t node = 0;
  for (size_t i = at; i < text.size(); ++i) {
    node = child(node, static_cast<unsigned char>(text[i]));
    if (node == 0) break;
    if (nodes_[node].token >= 0) best = {nodes_[node].token, i + 1 - at};
  }
  return best;
}

void AddedTokenMatcher::split(std::string_view text, std::vector<Segment>& segments) const {
  if (text.empty()) return;
  if (nodes_.empty()) {
    segments.push_back({std::nullopt, text});
    return;
  }
  std::array<bool, 256> begins{};
  for (const auto& [byte, next] : nodes_[0].children) begins[byte] = true;
  size_t last = 0;
  for (size_t at = 0; at < text.size();) {
    if (!begins[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    const auto [index, length] = longest_at(text, at);
    if (index < 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[static_cast<size_t>(index)];
    size_t begin = at;
    size_t end = at + length;
    at = end;
    if (token.single_word && (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end)))) continue;
    if (token.lstrip) begin = std::max(without_spaces_at_end(text.substr(0, begin)), last);
    if (token.rstrip) end += spaces_at_start(text.substr(end));
    if (last < begin) segments.push_back({std::nullopt, text.substr(last, begin - last)});
    segments.push_back({token.id, text.substr(begin, end - begin)});
    last = end;
  }
  if (last < text.size()) segments.push_back({std::nullopt, text.substr(last)});
}

std::vector<AddedToken> read_added_tokens(const Json& part) {
  if (part.is_null()) return {};
  if (!part.is_array()) throw Error("expected an array, found {}", part.type_name());
  std::vector<AddedToken> tokens;
  for (const Json& entry : part) {
    tokens.push_back(with_context(fmt::format("number {}", tokens.size()), [&] {
      AddedToken token;
      token.content = text_field(entry, "content");
      token.special = bool_or(entry, "special", false);
      token.normalized = bool_or(entry, "normalized", !token.special);
      token.single_word = bool_or(entry, "single_word", false);
      token.lstrip = bool_or(entry, "lstrip", false);
      token.rstrip = bool_or(entry, "rstrip", false);
      if (entry.contains("id")) {
        const int64_t id = integer_field(entry, "id");
        if (id < 0 || id > std::numeric_limits<int32_t>::max())
          throw Error("\"id\": expected an id in [0, 2^31), found {}", id);
        token.id = static_cast<int32_t>(id);
      }
      return token;
    }));
  }
  return tokens;
}

}  // namespace harness
