#!/usr/bin/env bash
# Fails on an #include that goes up the layers, on MPI or HDF5 outside their layer, on one model family that includes
# another, and on a header that isn't named by its folder. Usage: includes.sh [TREE]
set -uo pipefail
cd "${1:-$(dirname "$0")/../..}" || exit 1

# Folders of src from the bottom; those with the same number don't include each other.
declare -A height=([core]=0 [parallel]=1 [store]=2 [data]=3 [kernels]=3 [conv]=4 [model]=5 [knn]=6 [svm]=6 [cnn]=6 [ensemble]=7
    [report]=8 [api]=8 [cli]=9)

bad=0
complain() {
    echo "$1: $2"
    bad=1
}

# check FILE LAYER: every #include of FILE, which belongs to LAYER.
check() {
    local file=$1 layer=$2 included target line
    [[ -n ${height[$layer]:-} ]] || { complain "$file" "src/$layer is no layer that tests/lint/includes.sh knows"; return; }
    while read -r line included; do
        case $included in
        \"pardigits/*) [[ $layer == api ]] || complain "$file:$line" "only src/api includes the public header" ;;
        \"parallel/comm_mpi.h\") # parallel HDF5 takes the MPI communicator
            [[ $layer == parallel || $layer == store ]] ||
                complain "$file:$line" "only src/parallel and src/store may ask for the MPI communicator"
            ;;
        \"*/*)
            target=${included#\"}
            target=${target%%/*}
            if [[ -z ${height[$target]:-} ]]; then
                complain "$file:$line" "there is no layer that $included belongs to"
            elif [[ $target != "$layer" && ${height[$target]} -ge ${height[$layer]} ]]; then
                complain "$file:$line" "$layer must not include $included, which belongs to $target"
            fi
            ;;
        \"*) complain "$file:$line" "includes $included without its folder: \"$layer/...\"" ;;
        "<mpi.h>") [[ $layer == parallel ]] || complain "$file:$line" "only src/parallel calls MPI" ;;
        "<hdf5"*".h>" | "<H5"*".h>") [[ $layer == store ]] || complain "$file:$line" "only src/store calls HDF5" ;;
        esac
    done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*(["<][^">]+[">]).*/\1/;T;=;p' "$file" | paste -d' ' - -)
}

for file in src/*/*.[ch]; do
    [[ -e $file ]] && check "$file" "$(basename "$(dirname "$file")")"
done
exit $bad
