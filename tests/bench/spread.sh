# shellcheck shell=bash
# Sourced by the benchmarks.

# median: of the numbers on standard input.
median() {
    sort -g | awk '{ x[NR] = $1 } END { printf "%.6g\n", NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2 }'
}

# spread: "median (least to most)" of the numbers on standard input.
spread() {
    sort -g | awk '{ x[NR] = $1 } END { m = NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2
        printf "%.5g (%.5g to %.5g)\n", m, x[1], x[NR] }'
}

# images_per_second PROGRAM RUN: of the last epoch.
images_per_second() {
    "$1" show "$2/metrics.h5" | awk '
        /^\// { column = 0; header = NR + 1 }
        NR == header { for (i = 1; i <= NF; i++) if ($i == "images_per_s") column = i; next }
        column && NF { rate = $column }
        END { print rate }'
}
