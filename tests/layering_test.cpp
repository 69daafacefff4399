#include "tests/layering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "tests/repository.h"

namespace tests {

void PrintTo(const Violation& violation, std::ostream* out) {
  *out << violation.path << ":" << violation.line << ": " << violation.what;
}

namespace {

std::vector<SourceText> sources_of_the_repository() { return repository_files({".h", ".cpp", ".cu", ".cuh"}); }

std::vector<std::string> complaints(const std::string& path, const std::string& text) {
  std::vector<std::string> found;
  for (const Violation& violation : check_layering({{path, text}})) found.push_back(violation.what);
  return found;
}

const std::string kHeaderTop = "// Thing: for this test.\n#pragma once\n";

TEST(Layering, HoldsForEverySourceOfTheRepository) {
  const auto files = sources_of_the_repository();
  EXPECT_GT(files.size(), 100u);
  EXPECT_THAT(check_layering(files), testing::IsEmpty());
}

TEST(Layering, EveryPermissionIsUsed) {
  EXPECT_THAT(unused_permissions(sources_of_the_repository()), testing::IsEmpty());
  EXPECT_THAT(unused_permissions({{"harness/data/a.cpp", "#include <map>\n"}}),
              testing::Contains("harness/data -> harness/core"));
}

TEST(Layering, AnIncludeThatPointsTheWrongWayIsNamedWithItsLine) {
  const auto violations =
      check_layering({{"harness/core/a.cpp", "#include <vector>\n\n#include \"harness/train/step/step.h\"  // up\n"},
                      {"harness/train/step/step.cpp", "#include \"harness/core/error.h\"\n"}});
  const Violation expected = {"harness/core/a.cpp", 3,
                              "harness/core must not include harness/train, found \"harness/train/step/step.h\""};
  EXPECT_THAT(violations, testing::ElementsAre(expected));
}

TEST(Layering, EveryFolderMayIncludeItselfAndWhatTheTableSays) {
  EXPECT_THAT(complaints("harness/eval/a.cpp", "#include \"harness/eval/b.h\"\n#include \"harness/reward/c.h\"\n"),
              testing::IsEmpty());
  EXPECT_THAT(complaints("experiments/cli/a.cpp", "#include \"meds/memory.h\"\n#include \"harness/sweep/sweep.h\"\n"),
              testing::IsEmpty());
}

TEST(Layering, MethodsDoNotKnowOneAnother) {
  EXPECT_THAT(complaints("baselines/a.cpp", "#include \"meds/memory.h\"\n"), testing::SizeIs(1));
  EXPECT_THAT(complaints("meds/a.cpp", "#  include \"baselines/stack.h\"\n"), testing::SizeIs(1));
  EXPECT_THAT(complaints("baselines/example/a.cpp", "#include \"datasets/catalog.h\"\n"), testing::SizeIs(1));
}

TEST(Layering, TheEngineKnowsNoMethodNoDatasetAndNoProgram) {
  for (const char* header : {"meds/memory.h", "baselines/stack.h", "datasets/catalog.h", "experiments/cli/verbs.h"}) {
    EXPECT_THAT(complaints("harness/train/a.cpp", "#include \"" + std::string(header) + "\"\n"), testing::SizeIs(1)) << header;
  }
}

TEST(Layering, LibTorchStaysInTheFoldersMarkedSo) {
  EXPECT_THAT(complaints("harness/reward/a.cpp", "#include <torch/types.h>\n"), testing::SizeIs(1));
  EXPECT_THAT(complaints("datasets/a.cpp", "#include <ATen/Parallel.h>\n"), testing::SizeIs(1));
  EXPECT_THAT(complaints("harness/rl/a.cpp", "#include <torch/types.h>\n"), testing::IsEmpty());
}

TEST(Layering, NothingIncludesTheTests) {
  EXPECT_THAT(complaints("experiments/cli/a.cpp", "#include \"tests/layering.h\"\n"), testing::SizeIs(1));
  EXPECT_THAT(complaints("harness/hub/a_test.cpp", "#include \"tests/loopback_server.h\"\n"), testing::IsEmpty());
}

TEST(Layering, AHeaderSaysWhatItIsAndGuardsItself) {
  EXPECT_THAT(complaints("meds/a.h", kHeaderTop), testing::IsEmpty());
  EXPECT_THAT(complaints("meds/a.h", "#pragma once\n"), testing::SizeIs(2));
  EXPECT_THAT(complaints("meds/a.h", "// A thing of this test.\n#include <string>\n"), testing::ElementsAre("no #pragma once"));
}

TEST(Layering, AFolderMissingFromTheTableIsAComplaint) {
  EXPECT_THAT(complaints("harness/magic/a.cpp", ""), testing::ElementsAre("lies in no folder of the table"));
  EXPECT_THAT(complaints("meds/a.cpp", "#include \"harness/magic/a.h\"\n"), testing::SizeIs(1));
}

}  // namespace
}  // namespace tests
