#include "harness/model/files/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/model/files/model_config.h"
#include "harness/model/files/testing.h"

namespace harness {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Shapes = std::map<std::string, std::vector<int64_t>>;

std::string refusal(const std::string& folder, const Shapes& shapes) {
  return error_of([&] { load_weights(folder, shapes); });
}

TEST(Weights, OfEveryGoldenFolderFitItsConfiguration) {
  for (const auto& entry : fs::directory_iterator(MEDSBENCH_TEST_DATA)) {
    if (!fs::exists(entry.path() / "config.json")) continue;
    const auto shapes = tensor_shapes(read_model_config(entry.path().string()));
    const auto weights = load_weights(entry.path().string(), shapes);
    EXPECT_EQ(weights.size(), shapes.size()) << entry.path();
    for (const auto& [name, tensor] : weights) EXPECT_TRUE(torch::isfinite(tensor).all().item<bool>()) << name;
  }
}

TEST(Weights, AreTheSameAfterSavingInOneFileAndInShards) {
  const std::string source = golden_folder("tiny-qwen2");
  const auto shapes = tensor_shapes(read_model_config(source));
  const auto weights = load_weights(source, shapes);
  const ScratchFolder folder_scratch;
  const std::string folder = folder_scratch.path();
  for (const int64_t bytes : {int64_t{20'000}, kMaxShardBytes, int64_t{1}}) {
    save_weights(folder, weights, bytes);
    EXPECT_EQ(fs::exists(folder + "/model.safetensors.index.json"), bytes != kMaxShardBytes);
    EXPECT_EQ(fs::exists(folder + "/model.safetensors"), bytes == kMaxShardBytes);
    for (const auto& [name, tensor] : load_weights(folder, shapes)) EXPECT_TRUE(torch::equal(tensor, weights.at(name))) << name;
  }
}

TEST(Weights, KeepTheirTypeThroughSaving) {
  const ScratchFolder folder_scratch;
  const std::string folder = folder_scratch.path();
  const auto values = torch::arange(12).reshape({3, 4});
  save_weights(folder,
               {{"a", values.to(torch::kBFloat16)}, {"b", values.to(torch::kHalf).t()}, {"c", values.to(torch::kFloat)}});
  const auto weights = load_weights(folder, {{"a", {3, 4}}, {"b", {4, 3}}, {"c", {3, 4}}});
  EXPECT_EQ(weights.at("a").scalar_type(), torch::kBFloat16);
  EXPECT_EQ(weights.at("b").scalar_type(), torch::kHalf);
  EXPECT_TRUE(torch::equal(weights.at("b").t().to(torch::kInt64), values));
  EXPECT_TRUE(torch::equal(weights.at("c").to(torch::kInt64), values));
}

TEST(Weights, StayMappedAsLongAsOneTensorLives) {
  const ScratchFolder folder_scratch;
  const std::string folder = folder_scratch.path();
  save_weights(folder, {{"a", torch::ones({1000})}, {"b", torch::zeros({1000})}});
  torch::Tensor kept = load_weights(folder, {{"a", {1000}}, {"b", {1000}}}).at("a");
  fs::remove_all(folder);
  EXPECT_EQ(kept.sum().item<float>(), 1000);
}

TEST(Weights, NameTheTensorThatIsMissingOrHasAnotherShapeOrType) {
  const ScratchFolder folder_scratch;
  const std::string folder = folder_scratch.path();
  save_weights(folder, {{"a", torch::ones({2, 3})}});
  EXPECT_THAT(refusal(folder, {{"b", {2}}}), HasSubstr("expected the tensor b of shape [2], found none"));
  EXPECT_THAT(refusal(folder, {{"a", {3, 2}}}), HasSubstr("model.safetensors: tensor a: expected shape [3, 2], found [2, 3]"));
  EXPECT_THAT(refusal(folder, {}), HasSubstr("tensor a: expected only tensors that config.json accounts for"));
  std::string bytes = read_file(folder + "/model.safetensors");
  bytes.replace(bytes.find("F32"), 3, "I32");
  write_file_atomically(folder + "/model.safetensors", bytes);
  EXPECT_THAT(refusal(folder, {{"a", {2, 3}}}), HasSubstr("tensor a: expected F32, BF16 or F16, found I32"));
}

TEST(Weights, RefuseAFileCutShortWithItsName) {
  const ScratchFolder folder_scratch;
  const std::string folder = folder_scratch.path();
  save_weights(folder, {{"a", torch::ones({100})}});
  const std::string bytes = read_file(folder + "/model.safetensors");
  for (const size_t length : {size_t{0}, size_t{5}, size_t{40}, bytes.size() - 1}) {
    write_file_atomically(folder + "/model.safetensors", bytes.substr(0, length));
    EXPECT_THAT(refusal(folder, {{"a", {100}}}), HasSubstr("model.safetensors: ")) << length;
  }
}

TEST(Weights, RefuseAnIndexThatLeadsOutOfTheFolderOrNowhere) {
  const ScratchFolder folder_scratch;
  const std::string folder = folder_scratch.path();
  const std::string index = folder + "/model.safetensors.index.json";
  EXPECT_THAT(refusal(folder, {{"a", {1}}}),
              HasSubstr("expected model.safetensors or model.safetensors.index.json, found neither"));
  write_file_atomically(index, R"({"weight_map": {"a": "../other.safetensors"}})");
  EXPECT_THAT(refusal(folder, {{"a", {1}}}), HasSubstr("expected a file name in this folder"));
  write_file_atomically(index, R"({"weight_map": {"a": "absent.safetensors"}})");
  EXPECT_THAT(refusal(folder, {{"a", {1}}}), HasSubstr("absent.safetensors: expected a readable file, found none"));
  write_file_atomically(index, "[]");
  EXPECT_THAT(refusal(folder, {{"a", {1}}}), HasSubstr("weight_map"));
}

TEST(Weights, AcceptAHeadThatRepeatsTheTiedEmbeddingAndRefuseOneThatDiffers) {
  const ScratchFolder folder_scratch;
  const std::string folder = folder_scratch.path();
  const auto embedding = torch::arange(6, torch::kFloat).reshape({2, 3});
  const Shapes shapes = {{"model.embed_tokens.weight", {2, 3}}};
  save_weights(folder, {{"model.embed_tokens.weight", embedding}, {"lm_head.weight", embedding.clone()}});
  EXPECT_EQ(load_weights(folder, shapes).size(), 1u);
  save_weights(folder, {{"model.embed_tokens.weight", embedding}, {"lm_head.weight", embedding + 1}});
  EXPECT_THAT(refusal(folder, shapes), HasSubstr("tie_word_embeddings is true"));
}

}  // namespace
}  // namespace harness
