# The flags that every target of ours has, and the two functions that declare a module and its test program.
add_library(mediagen_flags INTERFACE)
target_compile_options(mediagen_flags INTERFACE
  -Wall -Wextra -Werror $<$<COMPILE_LANGUAGE:CXX>:-Wno-missing-field-initializers>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-fno-gnu-unique>
  # g++ 12 reports these in its own library headers at -O2 (GCC bugs 105329, 105651, 104475).
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-Wno-restrict;-Wno-stringop-overflow;-Wno-maybe-uninitialized>)
target_include_directories(mediagen_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
if(MEDIAGEN_SANITIZE)
  target_compile_options(mediagen_flags INTERFACE -fsanitize=${MEDIAGEN_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(mediagen_flags INTERFACE -fsanitize=${MEDIAGEN_SANITIZE})
endif()

# mediagen_module(base DEPENDS fmt::fmt ...): every .cc below src/<name>, as the object-backed static library mediagen_<name>.
function(mediagen_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  add_library(mediagen_${name} STATIC ${sources})
  target_link_libraries(mediagen_${name} PUBLIC mediagen_flags ${ARG_DEPENDS})
endfunction()

# mediagen_test(cache LINK mediagen_cache): every .cc below tests/<name>, as the doctest program test_<name>.
function(mediagen_test name)
  cmake_parse_arguments(ARG "" "" "LINK;SOURCES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*.cc)
  if(NOT sources AND NOT ARG_SOURCES)
    return()
  endif()
  add_executable(test_${name} ${sources} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/doctest_main.cc)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE ${ARG_LINK} mediagen_flags doctest::doctest)
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
