#include "harness/text/tokenizer/token_decoder.h"

#include "harness/core/utf8.h"
#include "harness/text/tokenizer/byte_level.h"
#include "harness/text/tokenizer/json_part.h"
#include "harness/text/tokenizer/text_pattern.h"

namespace harness {

namespace {

// The byte of "<0x..>", -1 for any other token.
int byte_of_token(const std::string& token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return -1;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  const int high = token[3] == '+' ? 0 : digit(token[3]);  // the reference reads a sign
  const int low = digit(token[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string join(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

size_t bytes_in(const std::vector<std::string>& tokens) {
  size_t bytes = 0;
  for (const std::string& token : tokens) bytes += token.size();
  return bytes;
}

// No decoder at all.
class JoinBySpaces : public TokenDecoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 1; i < tokens.size(); ++i) tokens[i].insert(0, " ");
  }
  [[nodiscard]] std::string bytes_of(std::string token) const override { return token; }
};

class ByteLevelDecoder : public TokenDecoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) bytes += alphabet_.to_bytes(token);
    tokens.assign(1, to_valid_utf8(bytes));
  }
  [[nodiscard]] std::string bytes_of(std::string token) const override { return alphabet_.to_bytes(token); }
  [[nodiscard]] bool is_bytewise() const override { return true; }

 private:
  ByteLevelAlphabet alphabet_;
};

class ByteFallbackDecoder : public TokenDecoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> decoded;
    std::string bytes;
    // A run of byte tokens is text only as a whole; otherwise each byte becomes U+FFFD.
    const auto flush = [&] {
      if (bytes.empty()) return;
      if (is_valid_utf8(bytes)) {
        decoded.push_back(bytes);
      } else {
        decoded.insert(decoded.end(), bytes.size(), "\xEF\xBF\xBD");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      const int byte = byte_of_token(token);
      if (byte >= 0) {
        bytes.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
      } else {
        flush();
        decoded.push_back(std::move(token));
      }
    }
    flush();
    tokens = std::move(decoded);
  }
  [[nodiscard]] std::string bytes_of(std::string token) const override {
    const int byte = byte_of_token(token);
    return byte < 0 ? token : std::string(1, static_cast<char>(static_cast<unsigned char>(byte)));
  }
};

class FuseDecoder : public TokenDecoder {
 public:
  void apply(std::vector<std::string>& tokens) const override { tokens.assign(1, join(tokens)); }
  [[nodiscard]] std::string bytes_of(std::string token) const override { return token; }
};

class ReplaceDecoder : public TokenDecoder {
 public:
  explicit ReplaceDecoder(const Json& part) : pattern_(part), content_(text_field(part, "content")) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) token = pattern_.replace_all(token, content_);
  }
  [[nodiscard]] std::string bytes_of(std::string token) const override {
    return is_valid_utf8(token) ? pattern_.replace_all(token, content_) : token;
  }

 private:
  TextPattern pattern_;
  std::string content_;
};

class StripDecoder : public TokenDecoder {
 public:
  explicit StripDecoder(const Json& part)
      : content_(text_field(part, "content")), start_(integer_field(part, "start")), stop_(integer_field(part, "stop")) {
    if (to_code_points(content_).size() != 1) throw Error("\"content\": expected one character, found \"{}\"", content_);
  }
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      size_t begin = 0;
      size_t end = token.size();
      for (int64_t i = 0; i < start_ && token.compare(begin, content_.size(), content_) == 0; ++i) begin += content_.size();
      for (int64_t i = 0;
           i < stop_ && end >= begin + content_.size() && token.compare(end - content_.size(), content_.size(), content_) == 0;
           ++i) {
        end -= content_.size();
      }
      token = token.substr(begin, end - begin);
    }
  }
  // Strips the ends of the whole text in the decoders that use it: no token's own bytes.
  [[nodiscard]] std::string bytes_of(std::string token) const override { return token; }

 private:
  std::string content_;
  int64_t start_;
  int64_t stop_;
};

class MetaspaceDecoder : public TokenDecoder {
 public:
  MetaspaceDecoder(std::string replacement, bool drops_first)
      : replacement_(std::move(replacement)), drops_first_(drops_first) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = with_spaces(tokens[i], i == 0 && drops_first_ ? "" : " ");
  }
  [[nodiscard]] std::string bytes_of(std::string token) const override { return with_spaces(token, " "); }

 private:
  [[nodiscard]] std::string with_spaces(const std::string& token, std::string_view space) const {
    std::string text;
    size_t last = 0;
    for (size_t at = token.find(replacement_); at != std::string::npos; at = token.find(replacement_, last)) {
      text.append(token, last, at - last);
      text += space;
      last = at + replacement_.size();
    }
    return text.append(token, last);
  }

  std::string replacement_;
  bool drops_first_;
};

class SuffixDecoder : public TokenDecoder {
 public:
  explicit SuffixDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = replaced(tokens[i], i + 1 == tokens.size() ? "" : " ");
  }
  [[nodiscard]] std::string bytes_of(std::string token) const override { return replaced(token, " "); }

 private:
  [[nodiscard]] std::string replaced(const std::string& token, std::string_view by) const {
    std::string text;
    size_t last = 0;
    for (size_t at = token.find(suffix_); at != std::string::npos; at = token.find(suffix_, last)) {
      text.append(token, last, at - last);
      text += by;
      last = at + suffix_.size();
    }
    return text.append(token, last);
  }

  std::string suffix_;
};

class DecoderSequence : public TokenDecoder {
 public:
  explicit DecoderSequence(std::vector<std::unique_ptr<TokenDecoder>> steps) : steps_(std::move(steps)) {}
  void apply(std::vector<std::string>& tokens) const override {
    const size_t before = bytes_in(tokens);
    for (const auto& step : steps_) {
      step->apply(tokens);
      check_rewritten(bytes_in(tokens), before);
    }
  }
  [[nodiscard]] std::string bytes_of(std::string token) const override {
    const size_t before = token.size();
    for (const auto& step : steps_) {
      token = step->bytes_of(std::move(token));
      check_rewritten(token.size(), before);
    }
    return token;
  }
  [[nodiscard]] bool is_bytewise() const override { return steps_.size() == 1 && steps_.front()->is_bytewise(); }

 private:
  std::vector<std::unique_ptr<TokenDecoder>> steps_;
};

std::unique_ptr<TokenDecoder> make_metaspace(const Json& part) {
  std::string replacement = text_or(part, "replacement", "\xE2\x96\x81");
  if (to_code_points(replacement).size() != 1)
    throw Error("\"replacement\": expected one character, found \"{}\"", replacement);
  const std::string scheme = text_or(part, "prepend_scheme", bool_or(part, "add_prefix_space", true) ? "always" : "never");
  return std::make_unique<MetaspaceDecoder>(std::move(replacement), scheme != "never");
}

}  // namespace

std::unique_ptr<TokenDecoder> make_token_decoder(const Json& part) {
  if (part.is_null()) return std::make_unique<JoinBySpaces>();
  const std::string type = text_field(part, "type");
  if (type == "Sequence") {
    std::vector<std::unique_ptr<TokenDecoder>> steps;
    for (const Json& step : array_field(part, "decoders")) steps.push_back(make_token_decoder(step));
    return std::make_unique<DecoderSequence>(std::move(steps));
  }
  return with_context(type, [&]() -> std::unique_ptr<TokenDecoder> {
    if (type == "ByteLevel") return std::make_unique<ByteLevelDecoder>();
    if (type == "ByteFallback") return std::make_unique<ByteFallbackDecoder>();
    if (type == "Fuse") return std::make_unique<FuseDecoder>();
    if (type == "Replace") return std::make_unique<ReplaceDecoder>(part);
    if (type == "Strip") return std::make_unique<StripDecoder>(part);
    if (type == "Metaspace") return make_metaspace(part);
    if (type == "BPEDecoder") {
      std::string suffix = text_or(part, "suffix", "</w>");
      if (suffix.empty()) throw Error("\"suffix\": expected a text, found an empty one");
      return std::make_unique<SuffixDecoder>(std::move(suffix));
    }
    throw Error(
        "expected Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace or BPEDecoder, found a type that is not "
        "supported");
  });
}

}  // namespace harness
