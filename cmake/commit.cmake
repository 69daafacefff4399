# Writes OUT (commit.cpp) with the commit of SOURCE, only where it has changed: cmake -DSOURCE=... -DOUT=... -P commit.cmake
execute_process(COMMAND git rev-parse --short=12 HEAD WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit ERROR_QUIET
  OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  set(commit unknown)
else()
  # What the program writes into the tree (tables, the notebook) is no part of it.
  execute_process(COMMAND git status --porcelain --untracked-files=no -- . :!results :!experiments/*.md :!*.md
    WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE changes ERROR_QUIET)
  if(NOT changes STREQUAL "")
    string(APPEND commit +)
  endif()
endif()
string(CONCAT text "#include \"experiments/cli/commit.h\"\n\nnamespace experiments {\n\n"
  "const char* const kCommit = \"${commit}\";\n\n}  // namespace experiments\n")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT "${old}" STREQUAL "${text}")
  file(WRITE ${OUT} "${text}")
endif()
