# The public headers compile alone, as C99 and as C++.
[ -f tests/headers.sh ] || { echo "tests/headers.sh is not there yet"; exit 77; }
exec bash tests/headers.sh
