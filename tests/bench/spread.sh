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

# column NAME: that column of the tables on standard input, CSV with blank lines between tables.
column() {
    awk -F, -v name="$1" '
        NR == 1 || !NF { at = 0; header = 1; if (!NF) next }
        header { for (i = 1; i <= NF; i++) if ($i == name) at = i; header = 0; next }
        at { print $at }'
}

# images_per_second PROGRAM RUN: of the last epoch.
images_per_second() {
    "$1" show "$2/metrics.h5" --csv | column images_per_s | tail -n 1
}
