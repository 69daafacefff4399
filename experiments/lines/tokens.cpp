// inspect tokens: texts to ids, ids to texts, conversations to prompts.
#include <iostream>
#include <memory>

#include "experiments/lines/lines.h"
#include "harness/core/error.h"
#include "harness/core/json.h"
#include "harness/text/jinja/chat_template.h"
#include "harness/text/tokenizer/tokenizer.h"

namespace experiments {

namespace {

using harness::Error;
using harness::OrderedJson;

// Template arguments of a line: "template_args", and "tools" or "documents" beside it.
OrderedJson template_arguments(const OrderedJson& line) {
  OrderedJson arguments = line.contains("template_args") ? line.at("template_args") : OrderedJson::object();
  if (arguments.is_null()) arguments = OrderedJson::object();
  if (!arguments.is_object()) throw Error("\"template_args\": expected an object, found {}", arguments.type_name());
  for (const char* name : {"tools", "documents"}) {
    if (line.contains(name)) arguments[name] = line.at(name);
  }
  return arguments;
}

class TokensAnswer {
 public:
  explicit TokensAnswer(TokensOptions options)
      : options_(std::move(options)), tokenizer_(harness::Tokenizer::from_file(options_.model + "/tokenizer.json")) {}

  OrderedJson operator()(const OrderedJson& line) {
    if (!line.is_object()) throw Error("expected a JSON object, found {}", line.type_name());
    if (line.contains("messages")) return conversation(line);
    if (line.contains("text")) {
      if (!line.at("text").is_string()) throw Error("\"text\": expected a string, found {}", line.at("text").type_name());
      const auto ids = tokenizer_->encode(line.at("text").get<std::string>(), {options_.plain, options_.add_special});
      return {{"ids", ids}, {"text", tokenizer_->decode(ids)}};
    }
    if (line.contains("ids")) return {{"text", tokenizer_->decode(read_ids(line.at("ids")))}};
    throw Error("expected one of the fields \"text\", \"ids\" and \"messages\", found none");
  }

 private:
  [[nodiscard]] std::vector<int64_t> read_ids(const OrderedJson& list) const {
    if (!list.is_array()) throw Error("\"ids\": expected an array of integers, found {}", list.type_name());
    std::vector<int64_t> ids;
    for (const OrderedJson& id : list) {
      if (!id.is_number_integer()) throw Error("\"ids\": expected integers, found {}", harness::dump_line(id));
      ids.push_back(id.get<int64_t>());
      if (ids.back() < 0) throw Error("\"ids\": expected an id of at least 0, found {}", ids.back());
    }
    return ids;
  }

  OrderedJson conversation(const OrderedJson& line) {
    // Read when first needed: a folder without a template still tokenises texts.
    if (!template_) {
      template_ = harness::ChatTemplate::from_model_folder(options_.model);
      if (!template_)
        throw Error("{}: expected a chat template in tokenizer_config.json or chat_template.jinja, found none", options_.model);
    }
    const std::string text = template_->render(line.at("messages"), true, template_arguments(line));
    return {{"text", text}, {"ids", tokenizer_->encode(text, {options_.plain, false})}};
  }

  TokensOptions options_;
  std::shared_ptr<const harness::Tokenizer> tokenizer_;
  std::shared_ptr<const harness::ChatTemplate> template_;
};

// As harness::answer_lines, for lines whose keys keep their order (a template may print a mapping).
int answer_ordered_lines(std::istream& in, std::ostream& out, TokensAnswer& answer) {
  int status = 0;
  std::string line;
  for (int64_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    OrderedJson result;
    try {
      result = answer(harness::parse_ordered_json(line));
    } catch (const Error& error) {
      result = {{"error", fmt::format("line {}: {}", number, error.what())}};
    } catch (const OrderedJson::exception& error) {
      result = {{"error", fmt::format("line {}: {}", number, harness::problem_of(error))}};
    }
    if (result.contains("error")) status = 1;
    out << harness::dump_line(result) << '\n';
    out.flush();
  }
  return status;
}

}  // namespace

int token_lines(const TokensOptions& options) {
  TokensAnswer answer(options);
  return answer_ordered_lines(std::cin, std::cout, answer);
}

}  // namespace experiments
