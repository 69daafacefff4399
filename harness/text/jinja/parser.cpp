#include "harness/text/jinja/parser.h"

#include <algorithm>
#include <initializer_list>

#include "harness/core/error.h"
#include "harness/text/jinja/expression_parser.h"

namespace harness::jinja {

namespace {

constexpr int kDeepestBlocks = 100;

class TemplateParser {
 public:
  explicit TemplateParser(std::string_view source) : parser_(tokenize(source)) {}

  Body run() {
    Body body = statements({});
    return body;
  }

 private:
  using Names = std::initializer_list<std::string_view>;

  static std::unique_ptr<Statement> make(StatementKind kind, int line) {
    auto statement = std::make_unique<Statement>();
    statement->kind = kind;
    statement->line = line;
    return statement;
  }

  void expect_block_end() {
    if (parser_.current().kind != TokenKind::kBlockEnd) parser_.fail("%}");
    parser_.next();
  }

  // Statements up to a tag with one of the names (which stays the current token) or, with no names, to the end.
  Body statements(Names until) {
    if (++depth_ > kDeepestBlocks) parser_.fail(fmt::format("at most {} nested blocks", kDeepestBlocks));
    Body body;
    while (true) {
      const Token token = parser_.current();
      if (token.kind == TokenKind::kEnd) {
        if (until.size() > 0) parser_.fail(fmt::format("{{% {} %}}", *until.begin()));
        break;
      }
      parser_.next();
      if (token.kind == TokenKind::kData) {
        body.push_back(make(StatementKind::kText, token.line));
        body.back()->text = token.text;
      } else if (token.kind == TokenKind::kVariableBegin) {
        body.push_back(make(StatementKind::kOutput, token.line));
        body.back()->value = parser_.tuple();
        if (parser_.current().kind != TokenKind::kVariableEnd) parser_.fail("}}");
        parser_.next();
      } else {
        const bool ends = std::any_of(until.begin(), until.end(), [&](std::string_view name) { return parser_.is_name(name); });
        if (ends) break;
        body.push_back(statement());
      }
    }
    --depth_;
    return body;
  }

  Body body_until(std::string_view end) {
    expect_block_end();
    Body body = statements({end});
    parser_.next();
    expect_block_end();
    return body;
  }

  std::unique_ptr<Statement> statement() {
    const int line = parser_.current().line;
    const std::string name = parser_.expect_name();
    if (name == "if") return if_statement(line);
    if (name == "for") return for_statement(line);
    if (name == "set") return set_statement(line);
    if (name == "macro") return macro_statement(line);
    if (name == "call") return call_statement(line);
    if (name == "filter") return filter_statement(line);
    if (name == "with") return with_statement(line);
    if (name == "generation") {
      auto node = make(StatementKind::kGeneration, line);
      node->body = body_until("endgeneration");
      return node;
    }
    if (name == "break" || name == "continue") {
      if (loops_ == 0) throw Error("line {}: expected {} inside a loop, found it outside", line, name);
      expect_block_end();
      return make(name == "break" ? StatementKind::kBreak : StatementKind::kContinue, line);
    }
    throw Error("line {}: the statement \"{}\" is not supported", line, name);
  }

  std::unique_ptr<Statement> if_statement(int line) {
    auto node = make(StatementKind::kIf, line);
    while (true) {
      ExpressionPtr condition = parser_.tuple(false);
      expect_block_end();
      node->branches.emplace_back(std::move(condition), statements({"elif", "else", "endif"}));
      if (!parser_.skip_name("elif")) break;
    }
    if (parser_.skip_name("else")) {
      node->otherwise = body_until("endif");
    } else {
      parser_.next();
      expect_block_end();
    }
    return node;
  }

  std::unique_ptr<Statement> for_statement(int line) {
    auto node = make(StatementKind::kFor, line);
    node->target = parser_.target(false);
    if (!parser_.skip_name("in")) parser_.fail("\"in\"");
    node->value = parser_.tuple(false, "recursive");
    if (parser_.skip_name("if")) node->condition = parser_.expression();
    node->recursive = parser_.skip_name("recursive");
    expect_block_end();
    ++loops_;
    node->body = statements({"endfor", "else"});
    --loops_;
    if (parser_.skip_name("else")) {
      node->otherwise = body_until("endfor");
    } else {
      parser_.next();
      expect_block_end();
    }
    return node;
  }

  std::unique_ptr<Statement> set_statement(int line) {
    auto node = make(StatementKind::kSet, line);
    node->target = parser_.target(true);
    if (parser_.skip_operator("=")) {
      node->value = parser_.tuple();
      expect_block_end();
      return node;
    }
    node->kind = StatementKind::kSetBlock;
    if (parser_.is_operator("|")) node->value = parser_.filter_chain(nullptr);
    node->body = body_until("endset");
    return node;
  }

  std::vector<Parameter> parameters() {
    std::vector<Parameter> list;
    parser_.expect_operator("(");
    while (!parser_.is_operator(")")) {
      if (!list.empty()) parser_.expect_operator(",");
      if (parser_.is_operator(")")) break;
      Parameter parameter;
      parameter.name = parser_.expect_name();
      if (parser_.skip_operator("=")) {
        parameter.fallback = parser_.expression();
      } else if (!list.empty() && list.back().fallback) {
        parser_.fail("a parameter with a default behind one with a default");
      }
      list.push_back(std::move(parameter));
    }
    parser_.expect_operator(")");
    return list;
  }

  // A macro's body is no part of the loop around it.
  Body outside_loops(std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    Body body = body_until(end);
    loops_ = loops;
    return body;
  }

  std::unique_ptr<Statement> macro_statement(int line) {
    auto node = make(StatementKind::kMacro, line);
    node->text = parser_.expect_name();
    node->parameters = parameters();
    node->body = outside_loops("endmacro");
    return node;
  }

  std::unique_ptr<Statement> call_statement(int line) {
    auto node = make(StatementKind::kCallBlock, line);
    if (parser_.is_operator("(")) node->parameters = parameters();
    node->value = parser_.expression();
    if (node->value->kind != ExpressionKind::kCall) throw Error("line {}: expected a call behind \"call\", found none", line);
    node->body = outside_loops("endcall");
    return node;
  }

  std::unique_ptr<Statement> filter_statement(int line) {
    auto node = make(StatementKind::kFilter, line);
    node->value = parser_.first_filter();
    node->body = body_until("endfilter");
    return node;
  }

  std::unique_ptr<Statement> with_statement(int line) {
    auto node = make(StatementKind::kWith, line);
    while (parser_.current().kind != TokenKind::kBlockEnd) {
      if (!node->assignments.empty()) parser_.expect_operator(",");
      ExpressionPtr target = parser_.target(false);
      parser_.expect_operator("=");
      node->assignments.emplace_back(std::move(target), parser_.expression());
    }
    node->body = body_until("endwith");
    return node;
  }

  ExpressionParser parser_;
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

Body parse_template(std::string_view source) { return TemplateParser(source).run(); }

}  // namespace harness::jinja
