#include "harness/experiment/base_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/testing.h"

namespace harness {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(BaseModels, AreFoundAsFoldersInTheModelsFolderAndInTheHubsCache) {
  const ScratchFolder folder;
  const std::string cache = folder.path("hub"), models = folder.path("models");
  const auto environment = [&](const std::string& name) { return name == "HF_HUB_CACHE" ? cache : std::string(); };
  EXPECT_EQ(find_model("Org/Name", models, environment), "");
  const std::string snapshot = cache + "/models--Org--Name/snapshots/0123456789abcdef0123456789abcdef01234567";
  make_folder(snapshot);
  make_folder(cache + "/models--Org--Name/refs");
  write_file_atomically(cache + "/models--Org--Name/refs/main", "0123456789abcdef0123456789abcdef01234567");
  write_file_atomically(snapshot + "/config.json", "{}");
  EXPECT_EQ(find_model("Org/Name", models, environment), snapshot);
  make_folder(models + "/Name");
  write_file_atomically(models + "/Name/config.json", "{}");
  EXPECT_EQ(find_model("Org/Name", models, environment), models + "/Name");
  EXPECT_EQ(find_model(models + "/Name", "elsewhere", environment), models + "/Name");
  EXPECT_THAT(missing_model_text("Org/Other", models), HasSubstr("medsbench model fetch Org/Other"));
}

TEST(BaseModels, AreGivenMorePositionsInAFolderOfLinks) {
  const ScratchFolder folder;
  make_folder(folder.path("own"));
  write_file_atomically(folder.path("own/config.json"), R"({"max_position_embeddings": 4096, "rope_theta": 10000.0})");
  write_file_atomically(folder.path("own/model.safetensors"), "weights");
  extend_positions(folder.path("own"), folder.path("more"), 9216);
  EXPECT_EQ(read_file(folder.path("more/model.safetensors")), "weights");
  EXPECT_TRUE(fs::is_symlink(folder.path("more/model.safetensors")));
  const auto config = parse_json(read_file(folder.path("more/config.json")));
  EXPECT_EQ(config["max_position_embeddings"], 9216);
  EXPECT_EQ(config["rope_theta"], 10000.0);
  EXPECT_THROW(extend_positions(folder.path("own"), folder.path("less"), 4096), Error);
}

}  // namespace
}  // namespace harness
