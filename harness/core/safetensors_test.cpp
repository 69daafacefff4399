#include "harness/core/safetensors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/testing.h"

namespace harness {
namespace {

class Safetensors : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return folder_.path("file.safetensors"); }

  // A file from its header text and data, whether right or wrong.
  void write_raw(const std::string& header, const std::string& data) const {
    std::string bytes(8, '\0');
    for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
    write_file_atomically(path(), bytes + header + data);
  }
  [[nodiscard]] std::string refusal() const {
    return error_of([this] { const SafetensorsFile file(path()); });
  }

  ScratchFolder folder_;
};

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span<const T>(values));
}

TEST_F(Safetensors, ReadBackWhatWasWritten) {
  const std::vector<float> weights = {1.5F, -0.0F, 3e-40F, 4, 5, 6};
  const std::vector<int64_t> ids = {7, -8};
  write_safetensors(path(), {{"b.weights", "F32", {2, 3}, bytes_of(weights)}, {"ids", "I64", {2}, bytes_of(ids)}},
                    {{"format", "pt"}});
  const SafetensorsFile file(path());
  EXPECT_EQ(file.names(), (std::vector<std::string>{"ids", "b.weights"}));
  EXPECT_EQ(file.metadata().at("format"), "pt");
  const SafetensorsEntry& entry = file.entry("b.weights");
  EXPECT_EQ(entry.dtype, "F32");
  EXPECT_EQ(entry.shape, (std::vector<int64_t>{2, 3}));
  ASSERT_EQ(entry.bytes.size(), 24U);
  EXPECT_EQ(std::memcmp(entry.bytes.data(), weights.data(), 24), 0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(entry.bytes.data()) % 8, 0U);
}

TEST_F(Safetensors, TheSameEntriesGiveTheSameBytesWhateverTheirOrder) {
  const std::vector<float> a = {1, 2};
  const std::vector<float> b = {3};
  write_safetensors(path(), {{"a", "F32", {2}, bytes_of(a)}, {"b", "F32", {1}, bytes_of(b)}});
  const std::string first = read_file(path());
  write_safetensors(path(), {{"b", "F32", {1}, bytes_of(b)}, {"a", "F32", {2}, bytes_of(a)}});
  EXPECT_EQ(read_file(path()), first);
}

TEST_F(Safetensors, AnEmptyFileOfTensorsAndAnEmptyTensorAreFine) {
  write_safetensors(path(), {});
  EXPECT_TRUE(SafetensorsFile(path()).names().empty());
  write_safetensors(path(), {{"none", "F32", {0, 5}, {}}});
  EXPECT_TRUE(SafetensorsFile(path()).entry("none").bytes.empty());
}

TEST_F(Safetensors, AFileCutShortAnywhereIsRefused) {
  const std::vector<float> values(16, 1.0F);
  write_safetensors(path(), {{"values", "F32", {16}, bytes_of(values)}});
  const std::string whole = read_file(path());
  for (size_t size = 0; size < whole.size(); ++size) {
    write_file_atomically(path(), whole.substr(0, size));
    EXPECT_NE(refusal(), "") << size;
  }
}

TEST_F(Safetensors, BadHeadersAreRefusedInOneLineWithTheFile) {
  const std::string eight(8, 'x');
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"not json", "expected a JSON header"},
      {"[1]", "expected the header to be a JSON object"},
      {R"({"a": 3})", "tensor a: expected a JSON object"},
      {R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 12]}})", "found 8 (the file is cut short)"},
      {R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 0]}})", "begin <= end"},
      {R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}})", "expected 4 bytes for its dtype and shape"},
      {R"({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}})", "expected integers of 0 or more"},
      {R"({"a": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}})", "expected a dtype"},
      {R"({"a": {"dtype": "F32", "shape": [9223372036854775807, 9], "data_offsets": [0, 8]}})", "dtype and shape"},
      {R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "b": {"dtype": "F32", "shape": [1],
          "data_offsets": [0, 4]}})",
       "overlap"},
      {R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}})", "leave a gap"},
      {R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})", "found 4 bytes more"},
      {R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "a": {"dtype": "F32", "shape": [2],
          "data_offsets": [0, 8]}})",
       "twice"},
      {R"({"__metadata__": {"k": 1}, "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})", "metadata k"},
  };
  for (const auto& [header, expected] : cases) {
    write_raw(header, eight);
    EXPECT_NE(refusal().find(expected), std::string::npos) << header << " -> " << refusal();
    EXPECT_EQ(refusal().find(path()), 0U);
    EXPECT_EQ(refusal().find('\n'), std::string::npos);
  }
}

TEST_F(Safetensors, AHeaderLengthBeyondTheFileIsRefused) {
  write_file_atomically(path(), std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8) + "{}");
  EXPECT_NE(refusal().find("expected a header of at most"), std::string::npos);
}

TEST_F(Safetensors, AnAbsentTensorIsNamed) {
  write_safetensors(path(), {});
  EXPECT_THROW((void)SafetensorsFile(path()).entry("lm_head.weight"), Error);
}

TEST_F(Safetensors, AFailedWriteLeavesTheOldFile) {
  const std::vector<float> values(1 << 16, 1.0F);
  write_safetensors(path(), {{"a", "F32", {1 << 16}, bytes_of(values)}});
  const std::string before = read_file(path());
  // A limit on the size of files stands in for a full disk; the signal it sends is ignored so that write() reports it.
  struct rlimit unlimited {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit limited = unlimited;
  limited.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limited), 0);
  EXPECT_THROW(write_safetensors(path(), {{"b", "F32", {1 << 16}, bytes_of(values)}}), Error);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  (void)std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(read_file(path()), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1) << "no temporary file is left";
}

TEST_F(Safetensors, AreNamedWhereTheyAreAGitLfsPointerOrAnHtmlPage) {
  write_file_atomically(path(), "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n");
  EXPECT_EQ(refusal(),
            path() + ": expected a safetensors file, found a Git LFS pointer (`git lfs pull` puts the file itself there)");
  write_file_atomically(path(), "<html><body>404</body></html>");
  EXPECT_EQ(refusal(),
            path() + ": expected a safetensors file, found an HTML page (a server's message or a login in place of the file)");
}

}  // namespace
}  // namespace harness
