#!/usr/bin/env bash
# Installs what `make install` built, or removes exactly these files again. Usage: install.sh install|uninstall, with PREFIX,
# DESTDIR, BUILD, VERSION and LIBS (of the static library) in the environment; LIBDIR and INCLUDEDIR where they aren't PREFIX/lib and PREFIX/include.
set -euo pipefail
cd "$(dirname "$0")/../.."
action=$1
prefix=${PREFIX:?} version=${VERSION:?}
[[ $prefix == /* ]] || prefix=$PWD/$prefix
[[ $prefix != *[[:space:]]* ]] || echo "note: $prefix has a blank: programs can't be compiled with pkg-config's words for it" >&2
libdir=${LIBDIR:-$prefix/lib} includedir=${INCLUDEDIR:-$prefix/include}
share=$prefix/share/pardigits doc=$prefix/share/doc/pardigits
soname=libpardigits.so.${version%%.*}
umask 022

# place MODE FILE FOLDER [NAME]
place() {
    local target=${DESTDIR:-}$3/${4:-$(basename "$2")}
    if [[ $action == install ]]; then
        install -d "$(dirname "$target")"
        install -m "$1" "$2" "$target"
    else
        rm -f "$target"
    fi
}

# A text as sed's replacement.
for_sed() {
    sed 's/[\\|&]/\\&/g'
}

# fill FILE FOLDER [NAME]: places a file with the folders written into it.
fill() {
    local filled program
    filled=$(mktemp)
    program=$(printf '%q' "$prefix/bin/pardigits" | for_sed)
    sed -e "s|@PREFIX@|$(for_sed <<<"$prefix")|; s|@LIBDIR@|$(for_sed <<<"$libdir")|; s|@INCLUDEDIR@|$(for_sed <<<"$includedir")|" \
        -e "s|@VERSION@|$version|; s|@LIBS@|$(for_sed <<<"${LIBS:-}")|" \
        -e "s|^program=.*/build/pardigits .*|program=$program|" "$1" >"$filled"
    place 644 "$filled" "$2" "${3:-$(basename "$1")}"
    rm "$filled"
}

# point NAME TARGET: a link in the folder of libraries.
point() {
    local link=${DESTDIR:-}$libdir/$1
    if [[ $action == install ]]; then ln -sfn "$2" "$link"; else rm -f "$link"; fi
}

place 755 "$BUILD/pardigits" "$prefix/bin"
place 644 "$BUILD/lib/libpardigits.a" "$libdir"
place 755 "$BUILD/lib/$soname" "$libdir" "libpardigits.so.$version"
point "$soname" "libpardigits.so.$version"
point libpardigits.so "$soname"
place 644 include/pardigits/pardigits.h "$includedir/pardigits"
fill src/setup/pardigits.pc.in "$libdir/pkgconfig" pardigits.pc
for file in configs/*.ini; do place 644 "$file" "$share/configs"; done
for file in jobs/*.sbatch jobs/site.sh.example; do place 644 "$file" "$share/jobs"; done
place 755 jobs/chain.sh "$share/jobs"
fill jobs/common.sh "$share/jobs"
for file in src/setup/{mpi,hosts}_env.sh; do place 644 "$file" "$share/setup"; done
for file in README.md MANUAL.md LICENSE; do place 644 "$file" "$doc"; done

if [[ $action == uninstall ]]; then # folders of nothing else's
    for folder in "$includedir/pardigits" "$share/configs" "$share/jobs" "$share/setup" "$share" "$doc"; do
        rmdir --ignore-fail-on-non-empty "${DESTDIR:-}$folder" 2>/dev/null || true
    done
fi
