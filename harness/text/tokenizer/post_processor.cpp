#include "harness/text/tokenizer/post_processor.h"

#include "harness/text/tokenizer/json_part.h"

namespace harness {

namespace {

// What templates that repeat a text, one after the other, may add to it.
constexpr size_t kMostAdded = 1'000'000;

// ["</s>", 2]
int64_t id_of_pair(const Json& part, const std::string& key) {
  const Json& pair = array_field(part, key);
  if (pair.size() != 2 || !pair[1].is_number_integer())
    throw Error("\"{}\": expected [token, id], found {}", key, dump_line(pair));
  return pair[1].get<int64_t>();
}

}  // namespace

PostProcessor::PostProcessor(const Json& part) {
  if (!part.is_null()) read(part);
}

void PostProcessor::read(const Json& part) {
  const std::string type = text_field(part, "type");
  if (type == "Sequence") {
    for (const Json& step : array_field(part, "processors")) read(step);
    return;
  }
  with_context(type, [&] {
    if (type == "ByteLevel") return;  // only moves offsets
    if (type == "TemplateProcessing") return read_template(part);
    if (type == "BertProcessing" || type == "RobertaProcessing") {
      steps_.push_back({{{id_of_pair(part, "cls")}, {id_of_pair(part, "sep")}}});
      return;
    }
    throw Error(
        "expected Sequence, ByteLevel, TemplateProcessing, BertProcessing or RobertaProcessing, found a type that is not "
        "supported");
  });
}

void PostProcessor::read_template(const Json& part) {
  const auto special = part.find("special_tokens");
  Step step;
  step.between.emplace_back();
  for (const Json& piece : array_field(part, "single")) {
    if (piece.contains("Sequence")) {
      step.between.emplace_back();
      continue;
    }
    if (!piece.contains("SpecialToken"))
      throw Error("\"single\": expected SpecialToken or Sequence, found {}", dump_line(piece));
    const std::string name = text_field(piece["SpecialToken"], "id");
    if (special == part.end() || !special->contains(name)) throw Error("\"special_tokens\": expected \"{}\", found none", name);
    for (const Json& id : array_field((*special)[name], "ids")) {
      if (!id.is_number_integer()) throw Error("\"special_tokens\": \"{}\": expected ids, found {}", name, dump_line(id));
      step.between.back().push_back(id.get<int64_t>());
    }
  }
  steps_.push_back(std::move(step));
}

std::vector<int64_t> PostProcessor::add_special(std::vector<int64_t> ids) const {
  for (const Step& step : steps_) {
    if (step.between.size() > 2 && step.between.size() * ids.size() > kMostAdded) {
      throw Error("post_processor: expected at most {} ids of a text that is repeated, found more", kMostAdded);
    }
    std::vector<int64_t> whole = step.between.front();
    for (size_t i = 1; i < step.between.size(); ++i) {
      whole.insert(whole.end(), ids.begin(), ids.end());
      whole.insert(whole.end(), step.between[i].begin(), step.between[i].end());
    }
    ids = std::move(whole);
  }
  return ids;
}

}  // namespace harness
