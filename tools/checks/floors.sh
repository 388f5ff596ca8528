# The include graph goes downward only.
exec bash tools/floors.sh
