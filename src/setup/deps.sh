#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that are missing, and says which. Nothing missing: no output, no password.
# Usage: deps.sh [build|npm|onnx|lint|thread|memcheck|coverage|fuzz|peers|pictures|gate|cluster|slurm|simulate|report]...    (build is the default)
set -euo pipefail

declare -A packages=(
    [build]="gcc libc6-dev make pkg-config libopenmpi-dev openmpi-bin libhdf5-openmpi-dev libleptonica-dev libpng-dev libtiff-dev libexif-dev
             libprotobuf-c-dev protobuf-c-compiler libonnx-dev
             librandom123-dev libinih-dev libcjson-dev libssl-dev zlib1g-dev libzip-dev libcmocka-dev bats libsvm-tools procps curl ca-certificates gnuplot-nox python3-pandas python3-h5py"
    [npm]="npm"
    [onnx]="python3-h5py python3-opencv python3-onnx"
    [lint]="clang-tidy clang-format libomp-dev cppcheck shellcheck"
    [thread]="clang libomp-dev"
    [memcheck]="valgrind"
    [coverage]="gcovr"
    [fuzz]="clang libclang-rt-dev libomp-dev"
    [peers]="python3-torch python3-sklearn python3-faiss python3-numpy libopenblas0-pthread hdf5-tools"
    [pictures]="python3-numpy python3-pil python3-sklearn fonts-dkg-handwriting fonts-humor-sans fonts-breip fonts-bwht
                fonts-klee fonts-rufscript fonts-comic-neue fonts-seto fonts-kiloji fonts-kristi fonts-dancingscript fonts-femkeklaver
                fonts-dustin fonts-tomsontalks fonts-dejavu-core fonts-font-awesome"
    [gate]="python3-numpy python3-pil python3-h5py fonts-adf-verana fonts-aoyagi-kouzan-t fonts-aoyagi-soseki fonts-averia-sans-gwf
            fonts-beteckna fonts-bwht fonts-cabin fonts-cantarell fonts-comfortaa fonts-courier-prime fonts-dejavu fonts-dosis
            fonts-dustin fonts-ebgaramond fonts-ecolier-court fonts-engadget fonts-essays1743 fonts-fantasque-sans fonts-freefont-ttf
            fonts-goudybookletter fonts-havana fonts-inconsolata fonts-isabella fonts-jura fonts-kaushanscript fonts-lato
            fonts-leckerli-one fonts-liberation fonts-lobster fonts-ocr-b fonts-okolaks fonts-oldstandard fonts-open-sans
            fonts-opendyslexic fonts-opensymbol fonts-play fonts-quicksand fonts-radisnoir fonts-roboto-fontface fonts-sil-andika fonts-symbola
            fonts-yanone-kaffeesatz hershey-fonts-data"
    [cluster]="iproute2 util-linux perl-base"
    [slurm]="slurm-wlm munge"
    [simulate]="libsimgrid-dev"
    [report]="chromium nodejs npm"
)
# A command that makes a set's packages, or a package, unnecessary wherever it came from: another package may have it, which this one
# would replace or conflict with.
declare -A instead=([cluster]="ip" [slurm]="slurmctld" [simulate]="smpicc")
declare -A command_of=([gnuplot-nox]="gnuplot" [nodejs]="node" [npm]="npm" [chromium]="chromium")

fail() {
    echo "make deps: $*" >&2
    exit 1
}

wanted=()
for set in "${@:-build}"; do
    [[ -n ${packages[$set]:-} ]] || fail "no set of packages is called '$set'; there are: ${!packages[*]}"
    [[ -n ${instead[$set]:-} ]] && command -v "${instead[$set]}" >/dev/null && continue
    read -r -d '' -a list <<<"${packages[$set]}" || true
    wanted+=("${list[@]}")
done
[[ ${#wanted[@]} -gt 0 ]] || exit 0

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    found=yes
    for tool in gcc make mpicc mpirun pkg-config bats pgrep curl; do command -v "$tool" >/dev/null || found=no; done
    [[ -n ${HDF5_DIR:-${HDF5_ROOT:-${HDF5_HOME:-${EBROOTHDF5:-}}}} ]] || pkg-config --exists hdf5-openmpi 2>/dev/null ||
        command -v h5pcc >/dev/null || found=no
    pkg-config --exists inih lept libpng libtiff-4 libexif libcjson libcrypto zlib libzip libprotobuf-c cmocka 2>/dev/null || found=no
    [[ $found == no || ${*:-build} != build ]] || exit 0
    fail "this is neither Debian nor Ubuntu (no apt-get); please install what these packages hold: ${wanted[*]}"
fi

missing=()
for package in "${wanted[@]}"; do
    [[ -n ${command_of[$package]:-} ]] && command -v "${command_of[$package]}" >/dev/null && continue
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

root=()
if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null ||
        fail "these packages are missing and there is no sudo; as root, run: apt-get install ${missing[*]}"
    root=(sudo)
fi
echo "make deps: installing ${missing[*]}${root:+ (with sudo)}" >&2

# Lists may be absent (a fresh container) or out of date; then they are fetched, and the installation tried again.
install() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends "${missing[@]}"
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! install >"$log" 2>&1; then
    if ! "${root[@]}" apt-get update -q >"$log" 2>&1 || ! install >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "apt-get could not install these packages; the lines above say why"
    fi
fi
echo "make deps: done" >&2
