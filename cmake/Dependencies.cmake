# Everything that mediagen links, by its Debian 12 package. What has no CMake package is found by pkg-config.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(absl REQUIRED)           # libabsl-dev
find_package(fmt REQUIRED)            # libfmt-dev
find_package(CURL REQUIRED)           # libcurl4-openssl-dev
find_package(nlohmann_json REQUIRED)  # nlohmann-json3-dev
find_package(OpenSSL REQUIRED)        # libssl-dev
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)  # prometheus-cpp-dev
find_package(SQLiteCpp REQUIRED)      # libsqlitecpp-dev
pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET libwebp libwebpdemux)
pkg_check_modules(JPEG REQUIRED IMPORTED_TARGET libjpeg)
pkg_check_modules(LCMS REQUIRED IMPORTED_TARGET lcms2)
pkg_check_modules(PNG REQUIRED IMPORTED_TARGET libpng)
pkg_check_modules(DEFLATE REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
