#!/usr/bin/env bash
# Fails on an #include that goes up the layers, on MPI or HDF5 outside their layer, and on one model family that includes
# another. Usage: includes.sh [TREE]
set -uo pipefail
cd "${1:-$(dirname "$0")/../..}" || exit 1

# Layers from the bottom; those with the same number don't include each other.
declare -A height=([core]=0 [parallel]=1 [store]=2 [data]=3 [kernels]=3 [family]=4 [knn]=5 [svm]=5 [cnn]=5 [eval]=5 [cli]=6)
# A public header belongs to the layer that it or its source file is named after; or else to the one named here.
declare -A layer_of=([images]=data [layers]=kernels [comm_mpi]=parallel [svm_libsvm]=svm)
for layer in "${!height[@]}"; do layer_of[$layer]=$layer; done

bad=0
complain() {
    echo "$1: $2"
    bad=1
}

for source in src/*/*.c; do
    [[ -e $source ]] || continue
    name=$(basename "$source" .c)
    [[ -f include/pardigits/$name.h && -z ${layer_of[$name]:-} ]] && layer_of[$name]=$(basename "$(dirname "$source")")
done

# check FILE LAYER: every #include of FILE, which belongs to LAYER.
check() {
    local file=$1 layer=$2 included target line
    [[ -n ${height[$layer]:-} ]] || { complain "$file" "src/$layer is no layer that tests/lint/includes.sh knows"; return; }
    while IFS=: read -r line included; do
        case $included in
        pardigits/comm_mpi.h) # parallel HDF5 takes the MPI communicator
            [[ $layer == parallel || $layer == store ]] ||
                complain "$file:$line" "only src/parallel and src/store may ask for the MPI communicator"
            ;;
        pardigits/*)
            target=${included#pardigits/}
            target=${layer_of[${target%.h}]:-}
            if [[ -z $target ]]; then
                complain "$file:$line" "tests/lint/includes.sh doesn't know the layer of $included"
            elif [[ $target != "$layer" && ${height[$target]} -ge ${height[$layer]} ]]; then
                complain "$file:$line" "$layer must not include $included, which belongs to $target"
            fi
            ;;
        ../*) complain "$file:$line" "includes $included by a path; what other folders may use is in include/pardigits" ;;
        mpi.h) [[ $layer == parallel ]] || complain "$file:$line" "only src/parallel calls MPI" ;;
        hdf5*.h | H5*.h) [[ $layer == store ]] || complain "$file:$line" "only src/store calls HDF5" ;;
        esac
    done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]([^">]+)[">].*/\1/;T;=;p' "$file" | paste -d: - -)
}

for file in src/*/*.[ch]; do
    [[ -e $file ]] && check "$file" "$(basename "$(dirname "$file")")"
done
for file in include/pardigits/*.h; do
    [[ -e $file ]] || continue
    layer=${layer_of[$(basename "$file" .h)]:-}
    if [[ -n $layer ]]; then check "$file" "$layer"; fi
done
exit $bad
