// The commit that the program was built from.
#pragma once

namespace experiments {

// Twelve hexadecimal digits, "+" after them where tracked files differed from it; "unknown" outside a git checkout. Written by
// cmake/commit.cmake at each build.
extern const char* const kCommit;

}  // namespace experiments
