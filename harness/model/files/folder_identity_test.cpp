#include "harness/model/files/folder_identity.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"

namespace harness {

namespace {

// A folder with a configuration and weights, removed at the end.
struct ModelFolder {
  explicit ModelFolder(const std::string& name) : path(testing::TempDir() + "folder_identity_" + name) {
    std::filesystem::remove_all(path);
    make_folder(path);
    write("config.json", "{}");
    write("model.safetensors", "weights");
  }
  ~ModelFolder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const { write_file_atomically(path + "/" + name, text); }
  std::string path;
};

}  // namespace

TEST(FolderIdentity, IsThatOfTheContentWhereverItLies) {
  const ModelFolder here("here"), there("there");
  EXPECT_EQ(folder_identity(here.path), folder_identity(there.path));
  there.write("README.md", "a note");
  EXPECT_EQ(folder_identity(here.path), folder_identity(there.path));
}

TEST(FolderIdentity, ChangesWithWeightsTokenizerAndTemplate) {
  const ModelFolder folder("changed");
  const std::string before = folder_identity(folder.path);
  for (const char* name : {"model.safetensors", "tokenizer.json", "chat_template.jinja", "generation_config.json"}) {
    const std::string was = folder_identity(folder.path);
    folder.write(name, "other");
    EXPECT_NE(folder_identity(folder.path), was) << name;
  }
  EXPECT_NE(folder_identity(folder.path), before);
}

TEST(FolderIdentity, OfAFolderWithoutAConfigurationIsRefused) {
  EXPECT_THROW(folder_identity(testing::TempDir() + "folder_identity_none"), Error);
}

}  // namespace harness
