// GGUF bytes made by hand, for tests: a tiny Llama with a byte-level tokenizer.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace harness::gguf_test {

class GgufBytes {
 public:
  void text(const std::string& key, const std::string& value) {
    begin(key, 8);
    put_text(value);
  }
  void u32(const std::string& key, uint32_t value) {
    begin(key, 4);
    put(value);
  }
  void f32(const std::string& key, float value) {
    begin(key, 6);
    put(value);
  }
  void texts(const std::string& key, const std::vector<std::string>& values) {
    begin(key, 9);
    put(uint32_t{8});
    put(uint64_t{values.size()});
    for (const std::string& value : values) put_text(value);
  }
  void i32s(const std::string& key, const std::vector<int32_t>& values) {
    begin(key, 9);
    put(uint32_t{5});
    put(uint64_t{values.size()});
    for (const int32_t value : values) put(value);
  }
  // `shape` as GGUF lists it: the contiguous dimension first. `type` as ggml numbers it.
  void tensor(const std::string& name, const std::vector<uint64_t>& shape, uint32_t type, const std::string& data) {
    tensors_.push_back({name, shape, type, data});
  }
  void floats(const std::string& name, const std::vector<uint64_t>& shape, const std::vector<float>& values) {
    std::string data(values.size() * sizeof(float), '\0');
    std::memcpy(data.data(), values.data(), data.size());
    tensor(name, shape, 0, data);
  }

  [[nodiscard]] std::string bytes() const {
    std::string out = "GGUF";
    append(out, uint32_t{3});
    append(out, uint64_t{tensors_.size()});
    append(out, values_);
    out += metadata_;
    std::string data;
    for (const Tensor& tensor : tensors_) {
      append(out, uint64_t{tensor.name.size()});
      out += tensor.name;
      append(out, static_cast<uint32_t>(tensor.shape.size()));
      for (const uint64_t extent : tensor.shape) append(out, extent);
      append(out, tensor.type);
      append(out, uint64_t{data.size()});
      data += tensor.data;
      data.resize((data.size() + 31) / 32 * 32, '\0');
    }
    out.resize((out.size() + 31) / 32 * 32, '\0');
    return out + data;
  }

 private:
  struct Tensor {
    std::string name;
    std::vector<uint64_t> shape;
    uint32_t type = 0;
    std::string data;
  };

  template <typename T>
  static void append(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  template <typename T>
  void put(T value) {
    append(metadata_, value);
  }
  void put_text(const std::string& value) {
    put(uint64_t{value.size()});
    metadata_ += value;
  }
  void begin(const std::string& key, uint32_t type) {
    ++values_;
    put_text(key);
    put(type);
  }

  uint64_t values_ = 0;
  std::string metadata_;
  std::vector<Tensor> tensors_;
};

// The value of element (row, column) of every matrix of the tiny model.
inline float tiny_value(uint64_t row, uint64_t column) { return static_cast<float>(row) + static_cast<float>(column) / 16; }

// Width 8, 1 layer, 2 heads of 4 over 1 key-value head, MLP 12, vocabulary 5.
inline GgufBytes tiny_llama(const std::string& architecture = "llama", const std::string& pre = "smollm",
                            const std::vector<std::string>& merges = {"a b"}) {
  GgufBytes file;
  file.text("general.architecture", architecture);
  file.u32("llama.block_count", 1);
  file.u32("llama.context_length", 64);
  file.u32("llama.embedding_length", 8);
  file.u32("llama.feed_forward_length", 12);
  file.u32("llama.attention.head_count", 2);
  file.u32("llama.attention.head_count_kv", 1);
  file.f32("llama.rope.freq_base", 100000.0F);
  file.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  file.text("tokenizer.ggml.model", "gpt2");
  file.text("tokenizer.ggml.pre", pre);
  file.texts("tokenizer.ggml.tokens", {"<|end|>", "a", "b", "ab", "<tool>"});
  file.i32s("tokenizer.ggml.token_type", {3, 1, 1, 1, 4});
  file.texts("tokenizer.ggml.merges", merges);
  file.u32("tokenizer.ggml.bos_token_id", 0);
  file.u32("tokenizer.ggml.eos_token_id", 0);
  file.text("tokenizer.chat_template", "{{ messages }}");
  const auto matrix = [&](const std::string& name, uint64_t rows, uint64_t columns) {
    std::vector<float> values;
    for (uint64_t row = 0; row < rows; ++row) {
      for (uint64_t column = 0; column < columns; ++column) values.push_back(tiny_value(row, column));
    }
    file.floats(name, {columns, rows}, values);
  };
  matrix("token_embd.weight", 5, 8);
  file.floats("output_norm.weight", {8}, std::vector<float>(8, 1.0F));
  file.floats("blk.0.attn_norm.weight", {8}, std::vector<float>(8, 1.0F));
  file.floats("blk.0.ffn_norm.weight", {8}, std::vector<float>(8, 1.0F));
  matrix("blk.0.attn_q.weight", 8, 8);
  matrix("blk.0.attn_k.weight", 4, 8);
  matrix("blk.0.attn_v.weight", 4, 8);
  matrix("blk.0.attn_output.weight", 8, 8);
  matrix("blk.0.ffn_gate.weight", 12, 8);
  matrix("blk.0.ffn_up.weight", 12, 8);
  matrix("blk.0.ffn_down.weight", 8, 12);
  return file;
}

inline std::span<const std::byte> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace harness::gguf_test
