#include "experiments/lines/model_lines.h"

#include <torch/cuda.h>
#include <torch/types.h>

#include <filesystem>

#include "harness/core/error.h"
#include "harness/cuda/device.h"
#include "harness/experiment/jobs/start.h"

namespace experiments {

using harness::Error;
using harness::OrderedJson;

AskedModel::AskedModel(const ModelOptions& options) : folder_(options.folder) {
  if (options.device == "cuda" && !torch::cuda::is_available()) {
    throw Error("--device: expected a GPU that LibTorch can use, found none: {}", harness::cuda::find_devices().why_none);
  }
  harness::Numerics numerics;
  numerics.dtype = options.dtype == "fp32" ? torch::kFloat32 : torch::kBFloat16;
  numerics.device = options.device == "cpu" ? torch::Device(torch::kCPU) : torch::Device(torch::kCUDA, 0);
  numerics.strict = options.device == "cpu";
  harness::use_numerics(numerics, options.threads);
  model_ = harness::Transformer::load(folder_, numerics);
}

bool AskedModel::has_tokenizer() const { return tokenizer_ != nullptr || std::filesystem::exists(folder_ + "/tokenizer.json"); }

const harness::Tokenizer& AskedModel::tokenizer() {
  if (tokenizer_ == nullptr) tokenizer_ = harness::Tokenizer::from_file(folder_ + "/tokenizer.json");
  return *tokenizer_;
}

std::vector<int64_t> AskedModel::ids_field(const OrderedJson& line, const std::string& key) const {
  const OrderedJson& list = line.at(key);
  if (!list.is_array()) throw Error("\"{}\": expected an array of integers, found {}", key, list.type_name());
  const int64_t vocabulary = model_->config().vocab_size;
  std::vector<int64_t> ids;
  for (const OrderedJson& id : list) {
    if (!id.is_number_integer()) throw Error("\"{}\": expected integers, found {}", key, harness::dump_line(id));
    ids.push_back(id.get<int64_t>());
    if (ids.back() < 0 || ids.back() >= vocabulary) {
      throw Error("\"{}\": expected ids in [0, {}) (the model's vocabulary), found {}", key, vocabulary,
                  harness::dump_line(id));
    }
  }
  return ids;
}

std::vector<int64_t> AskedModel::encoded_field(const OrderedJson& line, const std::string& key) {
  const OrderedJson& text = line.at(key);
  if (!text.is_string()) throw Error("\"{}\": expected a string, found {}", key, text.type_name());
  std::vector<int64_t> ids = tokenizer().encode(text.get<std::string>());
  for (const int64_t id : ids) {
    if (id >= model_->config().vocab_size) {
      throw Error("\"{}\": expected ids below the model's vocabulary of {}, found {} from its tokenizer.json", key,
                  model_->config().vocab_size, id);
    }
  }
  return ids;
}

int answer_model_lines(std::istream& in, std::ostream& out,
                       const std::function<void(const OrderedJson&, const EmitLine&)>& answer) {
  int status = 0;
  std::string text;
  for (int64_t number = 1; std::getline(in, text); ++number) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto refuse = [&](const std::string& what) {
      out << harness::dump_line(OrderedJson{{"error", fmt::format("line {}: {}", number, what)}}) << '\n';
      status = 1;
    };
    try {
      const OrderedJson line = harness::parse_ordered_json(text);
      if (!line.is_object()) throw Error("expected a JSON object, found {}", line.type_name());
      answer(line, [&](const OrderedJson& value) { out << harness::dump_line(value) << '\n'; });
    } catch (const Error& error) {
      refuse(error.what());
    } catch (const OrderedJson::exception& error) {
      refuse(harness::problem_of(error));
    }
    out.flush();
  }
  return status;
}

OrderedJson json_floats(const float* values, int64_t count) {
  OrderedJson list = OrderedJson::array();
  for (int64_t i = 0; i < count; ++i) list.push_back(harness::json_float(values[i]));
  return list;
}

}  // namespace experiments
