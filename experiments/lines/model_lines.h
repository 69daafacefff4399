// What the verbs that ask a model share: its options, its folder read once, and JSON lines in and out.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "experiments/lines/lines.h"
#include "harness/core/json.h"
#include "harness/model/transformer.h"
#include "harness/text/tokenizer/tokenizer.h"

namespace experiments {

// A model folder; tokenizer.json is read when a text first needs it, so that ids do without.
class AskedModel {
 public:
  explicit AskedModel(const ModelOptions& options);
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const harness::Transformer& model() const { return *model_; }
  // Throws Error if the folder has no tokenizer.json.
  const harness::Tokenizer& tokenizer();
  [[nodiscard]] bool has_tokenizer() const;
  // The field as ids of the model's vocabulary. Throws Error for anything else.
  [[nodiscard]] std::vector<int64_t> ids_field(const harness::OrderedJson& line, const std::string& key) const;
  // The field's text tokenised by itself, without a template.
  std::vector<int64_t> encoded_field(const harness::OrderedJson& line, const std::string& key);

 private:
  std::string folder_;
  std::unique_ptr<harness::Transformer> model_;
  std::shared_ptr<const harness::Tokenizer> tokenizer_;
};

using EmitLine = std::function<void(const harness::OrderedJson&)>;
// Runs `answer` over each line that is not empty. As harness::answer_lines, with keys in their order (a chat
// template may print a mapping). Returns the exit status.
int answer_model_lines(std::istream& in, std::ostream& out,
                       const std::function<void(const harness::OrderedJson& line, const EmitLine& emit)>& answer);

// A float in JSON as the shortest decimal that reads back to it.
harness::OrderedJson json_floats(const float* values, int64_t count);

}  // namespace experiments
