#!/usr/bin/env bash
# Shows that includes.sh accepts a good tree and refuses each kind of bad one.
set -uo pipefail
check=$(cd "$(dirname "$0")" && pwd)/includes.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
verdict=0

good_tree() {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree"/src/{core,parallel,store,kernels,knn,svm,cli}
    touch "$tree"/src/{core/mem,parallel/comm,store/h5io,kernels/pixdot}.{c,h}
    echo '#include <mpi.h>' >>"$tree/src/parallel/comm.c"
    printf '#include %s\n' '<hdf5.h>' '"parallel/comm_mpi.h"' >"$tree/src/store/h5io.c"
    printf '#include "%s"\n' kernels/pixdot.h parallel/comm.h knn/vote.h >"$tree/src/knn/knn.c"
}

# refused FILE LINE: a good tree with LINE in FILE must be refused with a message that names FILE.
refused() {
    good_tree
    mkdir -p "$tree/$(dirname "$1")"
    echo "$2" >>"$tree/$1"
    if said=$(bash "$check" "$tree"); then
        echo "includes.sh accepted '$2' in $1"
    elif [[ $said == *"$1"* ]]; then
        return
    else
        echo "includes.sh said of '$2' in $1 only: $said"
    fi
    verdict=1
}

good_tree
bash "$check" "$tree" || { echo "includes.sh refused a good tree"; verdict=1; }
refused src/core/mem.c '#include "parallel/comm.h"'
refused src/core/mem.h '  #  include "store/h5io.h"'
refused src/kernels/pixdot.c '#include "model/family.h"'
refused src/svm/svm.c '#include "knn/vote.h"'
refused src/svm/svm.c '#include "../knn/vote.h"'
refused src/knn/knn.c '#include "vote.h"'
refused src/knn/knn.c '#include "parallel/comm_mpi.h"'
refused src/knn/knn.c '#include "pardigits/pardigits.h"'
refused src/knn/knn.c '#include <mpi.h>'
refused src/cli/main.c '#include <hdf5.h>'
refused src/cli/main.c '#include "unknown/unknown.h"'
refused src/other/x.c '#include <stdio.h>'
exit $verdict
