#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN  // before any include: this file takes no precompiled header
#include <doctest/doctest.h>
