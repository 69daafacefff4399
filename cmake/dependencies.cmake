# System packages (Debian 12) and the wheels that setup.sh unpacks into .deps/.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)
find_package(GTest REQUIRED)
if(MEDSBENCH_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()
find_package(Boost 1.81 REQUIRED)
find_package(Eigen3 REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(TOMLPP REQUIRED IMPORTED_TARGET tomlplusplus)
find_library(RAPIDCHECK_LIBRARY rapidcheck REQUIRED)
add_library(rapidcheck INTERFACE)
target_link_libraries(rapidcheck INTERFACE ${RAPIDCHECK_LIBRARY})

set(MEDSBENCH_DEPS ${CMAKE_SOURCE_DIR}/.deps CACHE PATH "Where setup.sh unpacks the wheels")

# LibTorch: Torch_DIR (share/cmake/Torch of one the user has) or the unpacked wheel. Its own CMake package insists on a CUDA
# toolkit when built with CUDA, so the libraries are named here.
if(MEDSBENCH_TORCH)
  if(Torch_DIR)
    get_filename_component(TORCH_ROOT "${Torch_DIR}/../../.." ABSOLUTE)
  else()
    set(TORCH_ROOT ${MEDSBENCH_DEPS}/torch)
  endif()
  if(NOT EXISTS ${TORCH_ROOT}/include/torch/csrc/api/include/torch/torch.h)
    message(FATAL_ERROR "LibTorch: expected ${TORCH_ROOT}/include/torch/csrc/api/include/torch/torch.h, found none; "
                        "run ./setup.sh or give Torch_DIR")
  endif()
  add_library(medsbench_torch INTERFACE)
  # The wheel brings headers of another fmt than the one we link; ours comes first.
  find_path(FMT_HEADERS fmt/format.h PATHS /usr/include NO_DEFAULT_PATH REQUIRED)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/own_fmt)
  file(CREATE_LINK ${FMT_HEADERS}/fmt ${CMAKE_BINARY_DIR}/own_fmt/fmt SYMBOLIC)
  target_include_directories(medsbench_torch SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/own_fmt ${TORCH_ROOT}/include
    ${TORCH_ROOT}/include/torch/csrc/api/include)
  set(TORCH_RPATH ${TORCH_ROOT}/lib ${MEDSBENCH_DEPS}/nvidia/cu13/lib)
  target_link_libraries(medsbench_torch INTERFACE ${TORCH_ROOT}/lib/libtorch_cpu.so ${TORCH_ROOT}/lib/libc10.so)
  # libtorch_cpu needs libcudart and libcupti, which lie in another folder of the wheels.
  target_link_options(medsbench_torch INTERFACE -Wl,--allow-shlib-undefined -Wl,--disable-new-dtags)
  foreach(folder ${TORCH_RPATH})
    target_link_options(medsbench_torch INTERFACE -Wl,-rpath,${folder} -Wl,-rpath-link,${folder})
  endforeach()
  if(MEDSBENCH_CUDA)
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    target_link_libraries(medsbench_torch INTERFACE -Wl,--no-as-needed ${TORCH_ROOT}/lib/libtorch_cuda.so
      ${TORCH_ROOT}/lib/libc10_cuda.so -Wl,--as-needed CUDA::cudart)
    target_compile_definitions(medsbench_torch INTERFACE MEDSBENCH_CUDA=1)
    # What the wheels leave to the toolkit (cuBLAS and others) is found also where ldconfig does not know it.
    target_link_options(medsbench_torch INTERFACE -Wl,-rpath,${CUDAToolkit_LIBRARY_DIR})
  endif()
endif()

# Arrow C++ (Parquet) from the pyarrow wheel.
if(MEDSBENCH_ARROW)
  if(NOT EXISTS ${MEDSBENCH_DEPS}/pyarrow/libparquet.so.2600)
    message(FATAL_ERROR "Arrow C++: expected ${MEDSBENCH_DEPS}/pyarrow/libparquet.so.2600, found none; run ./setup.sh or "
                        "configure with -DMEDSBENCH_ARROW=OFF")
  endif()
  add_library(medsbench_arrow INTERFACE)
  target_include_directories(medsbench_arrow SYSTEM INTERFACE ${MEDSBENCH_DEPS}/pyarrow/include)
  target_link_libraries(medsbench_arrow INTERFACE ${MEDSBENCH_DEPS}/pyarrow/libparquet.so.2600
    ${MEDSBENCH_DEPS}/pyarrow/libarrow.so.2600)
  target_link_options(medsbench_arrow INTERFACE -Wl,-rpath,${MEDSBENCH_DEPS}/pyarrow -Wl,--disable-new-dtags
    -Wl,--allow-shlib-undefined)
  target_compile_definitions(medsbench_arrow INTERFACE MEDSBENCH_ARROW=1)
endif()
