#!/bin/sh
# build.sh API OUT: builds the adapters of this folder into OUT; API is the challenge's folder with
# matching_engine_api.h. The whole core is built twice: as it is, and once more (trained) with what
# the compiler learnt from train.c about which ways are usual.
set -eu
[ $# -eq 2 ] || { echo "usage: build.sh API OUT" >&2; exit 2; }
api=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
cd "$(dirname "$0")"

# gcc 12 otherwise joins neighbouring words into wide loads and stores that wait for narrow ones
flags="-std=c17 -D_GNU_SOURCE -O3 -march=native -fno-tree-slp-vectorize -fno-store-merging -fPIC
       -flto=auto -fvisibility=hidden --param max-inline-insns-auto=600 -I$api -I../../src"
core=$(ls ../../src/core/*.c | grep -v -e _test -e _fuzz -e naive)
core="$core ../venue.c $(ls ../../src/msg/*.c) ../../src/base/assert.c"

# objects DIR FLAGS...: every source of the core, one object each
objects() {
    directory=$1
    shift
    mkdir -p "$directory"
    for source in $core; do
        # shellcheck disable=SC2086
        gcc $flags "$@" -c "$source" -o "$directory/o$(echo "$source" | tr "/" "_").o"
    done
}

# shellcheck disable=SC2086
{
    gcc $flags -shared report_ring.c -o "$out/dojima_report_ring_adapter.so"
    gcc $flags -shared bare_book.c ../../src/base/assert.c -o "$out/dojima_bare_book_adapter.so"
    gcc $flags -shared whole_core.c $core -lxxhash -o "$out/dojima_whole_core_adapter.so"

    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    objects "$work/core" -fprofile-generate -fprofile-update=single
    gcc $flags -fprofile-generate train.c "$work"/core/*.o -lxxhash -o "$work/train"
    "$work/train"
    objects "$work/core" -fprofile-use -fprofile-partial-training -Wno-missing-profile
    gcc $flags -fprofile-use -fprofile-partial-training -Wno-missing-profile -shared whole_core.c \
        "$work"/core/*.o -lxxhash -o "$out/dojima_whole_core_trained_adapter.so"
}
