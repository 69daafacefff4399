// Files: whole reads, atomic writes (temporary file, fsync, rename, fsync of the folder).
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace harness {

// The whole content. Throws Error("PATH: expected a readable file, found none").
std::string read_file(const std::string& path);
// What a file holds in place of what its name says, by its first bytes: "a Git LFS pointer (...)", "an HTML page (...)"; ""
// where they say neither.
std::string foreign_content(std::string_view first_bytes);
// Of the file at `path`; "" for one that cannot be read.
std::string foreign_content_of_file(const std::string& path);
// Writes beside `path` and renames over it, so that a reader sees the old or the new content, never half. Both the file and
// its folder are fsynced. A full disk or a size limit throws Error, leaves the old content and removes the temporary file.
void write_file_atomically(const std::string& path, std::string_view content);
// The same for content too large for one string: `write` gets a path to fill and may throw.
void write_file_atomically(const std::string& path, const std::function<void(const std::string& temporary)>& write);
// While one lives, this thread's atomic writes leave fsync to the caller, who puts the whole folder in place with
// `replace_folder`, which syncs each file once: a checkpoint costs one round of disk writes instead of one a file.
class DeferredSync {
 public:
  DeferredSync();
  ~DeferredSync();
  DeferredSync(const DeferredSync&) = delete;
  DeferredSync& operator=(const DeferredSync&) = delete;
};
// Puts a finished folder in place of `path` atomically as far as POSIX allows: fsyncs every file in `temporary`, moves an
// existing `path` aside, renames, removes the old one. `recover_folder` finishes what a kill interrupted.
void replace_folder(const std::string& temporary, const std::string& path);
// Puts the folder that `replace_folder` had moved aside back where `path` is missing, and removes it where it is not.
void recover_folder(const std::string& path);
// Adds text to the end of a file, which is made where it is absent. Not fsynced. Throws Error.
void append_to_file(const std::string& path, std::string_view text);
// Creates a folder and its parents. Throws Error with the reason.
void make_folder(const std::string& path);
// A name as one part of a path: other characters than letters, digits, " +-._" become "-".
std::string path_part(const std::string& name);
// zstd at level 3; `decompress` also reads several frames set end to end. Throws Error on a damaged stream.
std::string zstd_compress(std::string_view bytes);
std::string zstd_decompress(std::string_view bytes);

}  // namespace harness
