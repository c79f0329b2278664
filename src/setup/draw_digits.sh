#!/usr/bin/env bash
# Draws some MNIST test digits as pictures of other sizes and colours (PPM), for `pardigits predict` to recognise.
# Usage: draw_digits.sh IDX_FOLDER OUT_FOLDER
set -euo pipefail
idx=$1 out=$2
mkdir -p "$out"

# draw INDEX SCALE "INK R G B" "PAPER R G B" NAME: test image INDEX, each pixel SCALE x SCALE.
draw() {
    od -An -v -tu1 -w28 -j $((16 + 784 * $1)) -N 784 "$idx/t10k-images-idx3-ubyte" |
        awk -v scale="$2" -v ink="$3" -v paper="$4" '
            BEGIN {
                split(ink, i, " "); split(paper, p, " ")
                printf "P3\n%d %d\n255\n", 28 * scale, 28 * scale
            }
            {
                line = ""
                for (x = 1; x <= NF; x++) {
                    pixel = ""
                    for (c = 1; c <= 3; c++) pixel = pixel int(p[c] + (i[c] - p[c]) * $x / 255 + 0.5) " "
                    for (s = 0; s < scale; s++) line = line pixel
                }
                for (s = 0; s < scale; s++) print line
            }' >"$out/$5.ppm"
}

draw 0 8 "20 40 160" "255 255 255" 7-blue-on-white
draw 1 1 "255 255 255" "0 0 0" 2-as-in-mnist
draw 4 5 "90 50 20" "240 225 190" 4-brown-on-paper
draw 7 12 "235 240 225" "30 70 50" 9-chalk-on-green
