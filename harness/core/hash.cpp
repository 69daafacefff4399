#include "harness/core/hash.h"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>
#include <vector>

#include "harness/core/error.h"

namespace harness {

namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    MEDSBENCH_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "EVP_DigestInit_ex");
  }
  void add(const void* data, size_t size) {
    MEDSBENCH_CHECK(EVP_DigestUpdate(context_.get(), data, size) == 1, "EVP_DigestUpdate");
  }
  std::array<unsigned char, 32> digest() {
    std::array<unsigned char, 32> bytes{};
    unsigned int size = 0;
    MEDSBENCH_CHECK(EVP_DigestFinal_ex(context_.get(), bytes.data(), &size) == 1 && size == 32, "EVP_DigestFinal_ex");
    return bytes;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string hex(const std::array<unsigned char, 32>& bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes.data(), bytes.size());
  return hex(hash.digest());
}

std::string sha256_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error("{}: expected a readable file, found none", path);
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || file.gcount() > 0) {
    hash.add(buffer.data(), static_cast<size_t>(file.gcount()));
  }
  return hex(hash.digest());
}

uint64_t hash64(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes.data(), bytes.size());
  const auto digest = hash.digest();
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = (value << 8) | digest[static_cast<size_t>(i)];
  return value;
}

std::string collapse_white_space(std::string_view text) {
  std::string collapsed;
  bool pending = false;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f') {
      pending = !collapsed.empty();
      continue;
    }
    if (pending) collapsed += ' ';
    pending = false;
    collapsed += c;
  }
  return collapsed;
}

}  // namespace harness
