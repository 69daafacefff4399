#include "harness/hub/hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/core/testing.h"
#include "harness/hub/http.h"
#include "tests/loopback_server.h"

namespace harness {
namespace {

using ::testing::HasSubstr;

constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";
constexpr const char* kConfig = "{\"a\": 1}\n";

// A hub with one model ORG/NAME: config.json (small), model.safetensors (large, with SHA-256), weights.bin (not wanted).
class TestHub {
 public:
  // Looks at a request for a file before the hub does; a reply of status 0 leaves it to the hub.
  using Fault = std::function<tests::ServerReply(const tests::ServerRequest&, const tests::ServerReply& right)>;

  TestHub() : weights_(300'000, 'w'), server_([this](const tests::ServerRequest& request) { return answer(request); }) {
    for (size_t i = 0; i < weights_.size(); ++i) weights_[i] = static_cast<char>(i * 7919 % 251);
    setenv("no_proxy", "127.0.0.1", 1);
    settings_.endpoint = server_.url();
    settings_.cache = folder_.path("hub");
    settings_.first_wait = 0;
    settings_.longest_wait = 0;
  }

  std::string fetch(const ProgressReport& report = nullptr) { return fetch("ORG/NAME", report); }
  std::string fetch(const std::string& name, const ProgressReport& report = nullptr) {
    return fetch_repository(settings_, parse_repository(RepositoryKind::model, name), is_model_file, report);
  }
  [[nodiscard]] int64_t requests_for(const std::string& part) const {
    const auto all = server_.requests();
    return std::count_if(all.begin(), all.end(),
                         [&](const tests::ServerRequest& r) { return r.path.find(part) != std::string::npos; });
  }

  [[nodiscard]] Json listing() const {
    const std::string sha256 = stated_sha256_.empty() ? sha256_hex(weights_) : stated_sha256_;
    return {{"id", "ORG/NAME"},
            {"sha", kCommit},
            {"siblings",
             {{{"rfilename", "config.json"}, {"size", 9}, {"blobId", config_id()}},
              {{"rfilename", "weights.bin"}, {"size", 9}, {"blobId", config_id()}},
              {{"rfilename", "model.safetensors"},
               {"size", 130},
               {"blobId", config_id()},
               {"lfs", {{"sha256", sha256}, {"size", weights_.size()}}}}}}};
  }

  std::string weights_;
  std::string stated_sha256_;  // "" for the right one
  Fault fault_;
  ScratchFolder folder_;
  HubSettings settings_;
  tests::LoopbackServer server_;

 private:
  tests::ServerReply right_answer(const tests::ServerRequest& request) {
    if (request.path == "/api/models/ORG/NAME/revision/main?blobs=true") {
      return {200, listing().dump()};
    }
    const std::string prefix = std::string("/ORG/NAME/resolve/") + kCommit + "/";
    if (request.path == prefix + "config.json") return {200, kConfig};
    if (request.path == prefix + "model.safetensors") {
      const auto range = request.headers.find("range");
      if (range == request.headers.end()) return {200, weights_};
      const size_t offset = std::stoul(range->second.substr(6));
      return {206,
              weights_.substr(offset),
              {fmt::format("Content-Range: bytes {}-{}/{}", offset, weights_.size() - 1, weights_.size())}};
    }
    return {404, "Entry not found"};
  }
  tests::ServerReply answer(const tests::ServerRequest& request) {
    const tests::ServerReply right = right_answer(request);
    if (!fault_) return right;
    const tests::ServerReply other = fault_(request, right);
    return other.status == 0 ? right : other;
  }
  // `git hash-object` of kConfig.
  static std::string config_id() { return "cb5b2f69babc53f9145b45ad20b9a075d48717ef"; }
};

const tests::ServerReply kLeaveIt = {0, ""};
bool is_weights(const tests::ServerRequest& request) { return request.path.ends_with("model.safetensors"); }

TEST(FetchRepository, FillsTheHubsOwnCacheWithCheckedFiles) {
  TestHub hub;
  FetchProgress last;
  const std::string snapshot = hub.fetch([&](const FetchProgress& progress) { last = progress; });
  EXPECT_EQ(snapshot, hub.folder_.path("hub/models--ORG--NAME/snapshots/") + kCommit);
  EXPECT_EQ(read_file(snapshot + "/config.json"), kConfig);
  EXPECT_EQ(read_file(snapshot + "/model.safetensors"), hub.weights_);
  EXPECT_TRUE(std::filesystem::is_symlink(snapshot + "/model.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(snapshot + "/weights.bin"));
  EXPECT_EQ(find_snapshot(hub.settings_.cache, {RepositoryKind::model, "ORG/NAME", "main"}), snapshot);
  EXPECT_EQ(last.files_done, 2);
  EXPECT_EQ(last.bytes_done, last.bytes);
  EXPECT_EQ(last.bytes, 300'009);
}

TEST(FetchRepository, AsksForNoFileThatTheCacheHas) {
  TestHub hub;
  hub.fetch();
  const int64_t before = hub.requests_for("/resolve/");
  hub.fetch();
  EXPECT_EQ(hub.requests_for("/resolve/"), before);
  hub.settings_.offline = true;
  const size_t all = hub.server_.requests().size();
  EXPECT_THAT(hub.fetch(), HasSubstr(kCommit));
  EXPECT_EQ(hub.server_.requests().size(), all);
}

TEST(FetchRepository, SaysOfflineWhatItDoesNotHave) {
  TestHub hub;
  hub.settings_.offline = true;
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("HF_HUB_OFFLINE"));
}

TEST(FetchRepository, FetchesRevisionsWithSlashes) {
  for (const std::string revision : {"refs/pr/3", "feature/x", "refs%2Fpr%2F3", "refs/convert/parquet", "v1.0+a"}) {
    TestHub hub;
    std::string asked;
    hub.fault_ = [&](const tests::ServerRequest& request, const tests::ServerReply&) {
      if (!request.path.starts_with("/api/")) return kLeaveIt;
      asked = request.path;
      return tests::ServerReply{200, hub.listing().dump()};
    };
    const std::string snapshot = hub.fetch("ORG/NAME@" + revision);
    const HubRepository repository = parse_repository(RepositoryKind::model, "ORG/NAME@" + revision);
    EXPECT_EQ(asked, "/api/models/ORG/NAME/revision/" + encode_segment(repository.revision) + "?blobs=true");
    EXPECT_EQ(read_file(hub.folder_.path("hub/models--ORG--NAME/refs/" + repository.revision)), kCommit);
    hub.settings_.offline = true;
    EXPECT_EQ(hub.fetch("ORG/NAME@" + revision), snapshot);
  }
  EXPECT_EQ(encode_segment("refs/pr/3"), "refs%2Fpr%2F3");
}

TEST(ParseRepository, SaysWhetherTheNameOrTheRevisionIsWrong) {
  const auto refusal = [](const std::string& text) { return error_of([&] { parse_repository(RepositoryKind::model, text); }); };
  for (const char* name : {"", "NAME", "ORG/", "/NAME", "ORG/../x", "ORG/NAME/more", "OR G/NAME"}) {
    EXPECT_EQ(refusal(name), std::string("expected ORG/NAME or ORG/NAME@REVISION, found ") + name);
  }
  for (const char* revision : {"", "..", "../x", "a/../b", "a//b", "/a", "a/", ".a", "a/.b", "a b", "a?b", "%2e%2e"}) {
    EXPECT_THAT(refusal(std::string("ORG/NAME@") + revision), HasSubstr("ORG/NAME: expected a branch, a tag, a commit"))
        << revision;
  }
}

TEST(FetchRepository, HoldsTheFilesThemselvesWhereLinksAreOff) {
  TestHub hub;
  hub.settings_.symlinks = false;
  const std::string snapshot = hub.fetch();
  EXPECT_FALSE(std::filesystem::is_symlink(snapshot + "/model.safetensors"));
  EXPECT_EQ(read_file(snapshot + "/model.safetensors"), hub.weights_);
  EXPECT_EQ(hub.fetch(), snapshot);
}

TEST(FetchRepository, SaysOfflineWhatACopyLacks) {
  TestHub hub;
  const std::string snapshot = hub.fetch();
  hub.settings_.offline = true;
  std::filesystem::remove(snapshot + "/model.safetensors");
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("expected weights (*.safetensors) in " + snapshot));
  std::filesystem::create_symlink("../../blobs/gone", snapshot + "/model.safetensors");
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("expected weights (*.safetensors)"));
  std::filesystem::remove(snapshot + "/model.safetensors");
  write_file_atomically(snapshot + "/model.safetensors.index.json",
                        R"({"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})");
  write_file_atomically(snapshot + "/1.safetensors", "x");
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("expected 2.safetensors in " + snapshot));
  write_file_atomically(snapshot + "/2.safetensors", "x");
  EXPECT_EQ(hub.fetch(), snapshot);
  std::filesystem::remove(snapshot + "/config.json");
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("expected config.json in " + snapshot));
}

TEST(FetchRepository, KeepsOneCopyWhateverTheCaseOfTheName) {
  TestHub hub;
  hub.fault_ = [&](const tests::ServerRequest& request, const tests::ServerReply&) {
    if (request.path.starts_with("/api/models/org/Name/")) {
      return tests::ServerReply{307, "", {"Location: /api/models/ORG/NAME/revision/main?blobs=true"}};
    }
    return kLeaveIt;
  };
  const std::string snapshot = hub.fetch("org/Name");
  EXPECT_EQ(snapshot, hub.folder_.path("hub/models--ORG--NAME/snapshots/") + kCommit);
  hub.settings_.offline = true;
  EXPECT_EQ(hub.fetch("Org/name"), snapshot);
}

TEST(FetchRepository, GoesOnWhereADroppedConnectionStopped) {
  TestHub hub;
  int64_t drops = 0;
  std::vector<std::string> ranges;
  hub.fault_ = [&](const tests::ServerRequest& request, const tests::ServerReply& right) {
    if (!is_weights(request)) return kLeaveIt;
    ranges.push_back(request.headers.contains("range") ? request.headers.at("range") : "");
    if (++drops > 3) return kLeaveIt;
    tests::ServerReply cut = right;
    cut.cut_after = 70'000;
    return cut;
  };
  const std::string snapshot = hub.fetch();
  EXPECT_EQ(read_file(snapshot + "/model.safetensors"), hub.weights_);
  EXPECT_THAT(ranges, ::testing::ElementsAre("", "bytes=70000-", "bytes=140000-", "bytes=210000-"));
}

TEST(FetchRepository, GoesOnWithWhatAnEarlierCallLeft) {
  TestHub hub;
  hub.settings_.attempts = 1;
  hub.fault_ = [&](const tests::ServerRequest& request, const tests::ServerReply& right) {
    if (!is_weights(request)) return kLeaveIt;
    tests::ServerReply cut = right;
    cut.cut_after = 100'000;
    return cut;
  };
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("expected 300000 bytes, found 100000"));
  hub.fault_ = [&](const tests::ServerRequest& request, const tests::ServerReply&) {
    if (is_weights(request)) {
      EXPECT_EQ(request.headers.at("range"), "bytes=100000-");
    }
    return kLeaveIt;
  };
  EXPECT_EQ(read_file(hub.fetch() + "/model.safetensors"), hub.weights_);
}

TEST(FetchRepository, StartsAnewWhereTheServerIgnoresTheRange) {
  TestHub hub;
  int64_t calls = 0;
  hub.fault_ = [&](const tests::ServerRequest& request, const tests::ServerReply&) {
    if (!is_weights(request)) return kLeaveIt;
    tests::ServerReply whole = {200, hub.weights_};
    if (++calls == 1) whole.cut_after = 50'000;
    return whole;
  };
  EXPECT_EQ(read_file(hub.fetch() + "/model.safetensors"), hub.weights_);
}

TEST(FetchRepository, RefusesAFileOfTheWrongLength) {
  TestHub hub;
  hub.settings_.attempts = 2;
  hub.fault_ = [&](const tests::ServerRequest& request, const tests::ServerReply&) {
    return is_weights(request) && !request.headers.contains("range") ? tests::ServerReply{200, hub.weights_ + "more"}
                                                                     : kLeaveIt;
  };
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("expected 300000 bytes, found more"));
  TestHub short_hub;
  short_hub.settings_.attempts = 2;
  short_hub.fault_ = [&](const tests::ServerRequest& request, const tests::ServerReply&) {
    if (!is_weights(request)) return kLeaveIt;
    return request.headers.contains("range") ? tests::ServerReply{206, ""}
                                             : tests::ServerReply{200, short_hub.weights_.substr(0, 1000)};
  };
  EXPECT_THAT(error_of([&] { short_hub.fetch(); }), HasSubstr("expected 300000 bytes, found 1000"));
  EXPECT_FALSE(std::filesystem::exists(short_hub.folder_.path("hub/models--ORG--NAME/refs/main")));
}

TEST(FetchRepository, FetchesAFileOfAWrongHashOnceMoreAndThenRefusesIt) {
  TestHub hub;
  hub.stated_sha256_ = std::string(64, 'a');
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("expected the hash " + hub.stated_sha256_));
  EXPECT_EQ(hub.requests_for("model.safetensors"), 2);
  EXPECT_FALSE(std::filesystem::exists(hub.folder_.path("hub/models--ORG--NAME/snapshots")));

  TestHub damaged;
  int64_t calls = 0;
  damaged.fault_ = [&](const tests::ServerRequest& request, const tests::ServerReply&) {
    if (!is_weights(request) || ++calls > 1) return kLeaveIt;
    std::string body = damaged.weights_;
    body[1000] ^= 1;
    return tests::ServerReply{200, body};
  };
  EXPECT_EQ(read_file(damaged.fetch() + "/model.safetensors"), damaged.weights_);
}

TEST(FetchRepository, SaysWhatARefusalMeans) {
  TestHub hub;
  hub.fault_ = [](const tests::ServerRequest&, const tests::ServerReply&) { return tests::ServerReply{401, "no"}; };
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("expected access, found 401 without a token; a private or gated"));
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("a token, in HF_TOKEN or by `hf auth login`"));
  hub.settings_.token = "hf_test";
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("expected access, found 401 for the token that was sent"));
  hub.fault_ = [](const tests::ServerRequest&, const tests::ServerReply&) { return tests::ServerReply{404, "no"}; };
  EXPECT_EQ(error_of([&] { hub.fetch(); }),
            hub.settings_.endpoint +
                "/api/models/ORG/NAME/revision/main?blobs=true: expected a repository, revision and file of "
                "that name, found none (404)");
  hub.fault_ = [](const tests::ServerRequest& r, const tests::ServerReply&) {
    return is_weights(r) ? tests::ServerReply{403, "gated"} : kLeaveIt;
  };
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("model.safetensors: expected access, found 403"));
  hub.fault_ = [](const tests::ServerRequest&, const tests::ServerReply&) { return tests::ServerReply{400, "bad  request"}; };
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("found 400 bad request"));
}

TEST(FetchRepository, TriesAgainAfterTooManyRequestsAndServerErrors) {
  TestHub hub;
  int64_t calls = 0;
  hub.fault_ = [&](const tests::ServerRequest&, const tests::ServerReply&) {
    ++calls;
    if (calls % 3 == 1) return tests::ServerReply{429, "slow down", {"Retry-After: 7"}};
    if (calls % 3 == 2) return tests::ServerReply{503, "later"};
    return kLeaveIt;
  };
  EXPECT_EQ(read_file(hub.fetch() + "/model.safetensors"), hub.weights_);
  hub.fault_ = [](const tests::ServerRequest&, const tests::ServerReply&) { return tests::ServerReply{429, "slow down"}; };
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("found status 429 after 5 attempts"));
}

TEST(FetchRepository, SendsTheTokenToTheHubAndNotToWhereItRedirects) {
  std::string weights;
  tests::LoopbackServer store([&](const tests::ServerRequest& request) {
    EXPECT_FALSE(request.headers.contains("authorization"));
    return tests::ServerReply{200, weights};
  });
  TestHub hub;
  weights = hub.weights_;
  hub.settings_.token = "hf_test";
  hub.fault_ = [&](const tests::ServerRequest& request, const tests::ServerReply&) {
    EXPECT_EQ(request.headers.at("authorization"), "Bearer hf_test");
    return is_weights(request) ? tests::ServerReply{302, "", {"Location: " + store.url() + "/blob"}} : kLeaveIt;
  };
  EXPECT_EQ(read_file(hub.fetch() + "/model.safetensors"), hub.weights_);
  EXPECT_EQ(store.requests().size(), 1u);
}

TEST(FetchRepository, RefusesAListingThatLeadsOutOfTheCacheOrHasNoHash) {
  TestHub hub;
  const auto list = [&](const Json& file) {
    hub.fault_ = [file](const tests::ServerRequest&, const tests::ServerReply&) {
      return tests::ServerReply{200, Json{{"sha", kCommit}, {"siblings", {file}}}.dump()};
    };
    return error_of([&] {
      fetch_repository(hub.settings_, {RepositoryKind::model, "ORG/NAME", "main"}, [](const auto&) { return true; });
    });
  };
  const std::string id(40, 'a');
  EXPECT_THAT(list({{"rfilename", "../../x.json"}, {"size", 1}, {"blobId", id}}), HasSubstr("expected a path inside"));
  EXPECT_THAT(list({{"rfilename", "/x.json"}, {"size", 1}, {"blobId", id}}), HasSubstr("expected a path inside"));
  EXPECT_THAT(list({{"rfilename", "x.json"}, {"size", 1}, {"blobId", "../y"}}), HasSubstr("expected a SHA-256 or git hash"));
  EXPECT_THAT(list({{"rfilename", "x.json"}, {"size", 1}}), HasSubstr("blobId"));
  hub.fault_ = [](const tests::ServerRequest&, const tests::ServerReply&) { return tests::ServerReply{200, "<html>"}; };
  EXPECT_THAT(error_of([&] { hub.fetch(); }), HasSubstr("expected JSON"));
}

TEST(HubSettings, ComeFromTheHubsUsualVariables) {
  std::map<std::string, std::string> variables = {
      {"HF_ENDPOINT", "https://mirror.example/"}, {"HF_TOKEN", "t"}, {"HF_HOME", "/h"}, {"HF_HUB_OFFLINE", "True"}};
  const auto environment = [&](const std::string& name) { return variables[name]; };
  const HubSettings settings = hub_settings(environment);
  EXPECT_EQ(settings.endpoint, "https://mirror.example");
  EXPECT_EQ(settings.token, "t");
  EXPECT_EQ(settings.cache, "/h/hub");
  EXPECT_TRUE(settings.offline);
  EXPECT_TRUE(settings.symlinks);
  variables = {{"HOME", "/home/u"}, {"HF_HUB_DISABLE_SYMLINKS", "1"}};
  EXPECT_FALSE(hub_settings(environment).symlinks);
  EXPECT_EQ(hub_settings(environment).cache, "/home/u/.cache/huggingface/hub");
  EXPECT_EQ(hub_settings(environment).endpoint, "https://huggingface.co");
}

TEST(HubSettings, TakeTheTokenOfTheLoginWhereNoVariableHasOne) {
  const ScratchFolder folder;
  folder.write("token", "hf_login\n");
  folder.write("elsewhere", " hf_other ");
  folder.write(".cache/huggingface/token", "hf_home");
  std::map<std::string, std::string> variables = {{"HF_HOME", folder.path()}, {"HF_TOKEN", "hf_variable"}};
  const auto token = [&] { return hub_settings([&](const std::string& name) { return variables[name]; }).token; };
  EXPECT_EQ(token(), "hf_variable");
  variables["HF_TOKEN"] = "";
  EXPECT_EQ(token(), "hf_login");
  variables["HF_TOKEN_PATH"] = folder.path("elsewhere");
  EXPECT_EQ(token(), "hf_other");
  variables = {{"HOME", folder.path()}};
  EXPECT_EQ(token(), "hf_home");
  variables = {{"HF_HOME", folder.path("nowhere")}};
  EXPECT_EQ(token(), "");
}

TEST(EncodePath, KeepsSlashesAndEncodesTheRest) { EXPECT_EQ(encode_path("a b/c#d?.json"), "a%20b/c%23d%3F.json"); }

}  // namespace
}  // namespace harness
