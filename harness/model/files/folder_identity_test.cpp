#include "harness/model/files/folder_identity.h"

#include <gtest/gtest.h>

#include "harness/core/testing.h"

namespace harness {

namespace {

struct ModelFolder : ScratchFolder {
  ModelFolder() {
    write("config.json", "{}");
    write("model.safetensors", "weights");
  }
};

}  // namespace

TEST(FolderIdentity, IsThatOfTheContentWhereverItLies) {
  const ModelFolder here, there;
  EXPECT_EQ(folder_identity(here.path()), folder_identity(there.path()));
  there.write("README.md", "a note");
  EXPECT_EQ(folder_identity(here.path()), folder_identity(there.path()));
}

TEST(FolderIdentity, ChangesWithWeightsTokenizerAndTemplate) {
  const ModelFolder folder;
  const std::string before = folder_identity(folder.path());
  for (const char* name : {"model.safetensors", "tokenizer.json", "chat_template.jinja", "generation_config.json"}) {
    const std::string was = folder_identity(folder.path());
    folder.write(name, "other");
    EXPECT_NE(folder_identity(folder.path()), was) << name;
  }
  EXPECT_NE(folder_identity(folder.path()), before);
}

TEST(FolderIdentity, OfAFolderWithoutAConfigurationIsRefused) {
  EXPECT_THROW(folder_identity(ScratchFolder().path("none")), Error);
}

}  // namespace harness
