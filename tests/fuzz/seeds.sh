#!/usr/bin/env bash
# Makes inputs to begin with, a folder for each fuzzer, from a tiny dataset of 8 x 8 pixels. Usage: seeds.sh PARDIGITS FOLDER
set -euo pipefail
program=$1 seeds=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMP_NUM_THREADS=1

# number VALUE: 4 bytes, the highest first.
number() {
    # shellcheck disable=SC2059
    printf "$(printf '\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)))"
}

# images N, labels N: files of three classes; the pixels are text.
images() {
    number 0x803 && number "$1" && number 8 && number 8
    head -c $(($1 * 64)) < <(seq 1000 9999)
}

labels() {
    number 0x801 && number "$1"
    for ((i = 0; i < $1; i++)); do printf '%b' "\\x0$((i % 3))"; done
}

mkdir -p "$seeds"/{idx,gz,config,set,layers,libsvm,picture,h5_model,h5_dataset,h5_metrics}
for part in train t10k; do
    images 24 >"$work/$part-images-idx3-ubyte"
    labels 24 >"$work/$part-labels-idx1-ubyte"
done
# both begin with the length of the labels' file, in fours
{ printf '\x01\x08' && cat "$work"/train-labels-* "$work"/train-images-*; } >"$seeds/idx/pair"
{ printf '\x00\x08' && cat "$work"/train-labels-* "$work"/train-images-*; } >"$seeds/gz/packed"
{ printf '\x05\x0f' && gzip -nc "$work"/train-labels-* | dd bs=60 conv=sync status=none && gzip -nc "$work"/train-images-*; } >"$seeds/gz/own"

cp configs/*.ini "$seeds/config/"
printf 'run.model=cnn\ncnn.layers=conv:8:3 relu pool:2 dense:classes\ncnn.lr=0.1' >"$seeds/set/cnn"
printf 'run.model=cnn\ncnn.members=2\ncnn.member_layers=dense:classes|conv:4:3 dense:classes\ncnn.member_settings=lr=0.1 epochs=2|lr=0.2\ncnn.member_preprocess=none deskew' >"$seeds/set/members"
printf 'run.model=svm\nsvm.kernel=poly\nsvm.degree=3\nsvm.search=grid' >"$seeds/set/svm"
printf 'run.model=knn\nknn.k=auto\nknn.metric=idm\nrun.preprocess=deskew' >"$seeds/set/knn"
line=0
sed -nE 's/^layers = //p' configs/*.ini | while read -r text; do
    line=$((line + 1))
    printf '\x14\x14\x0a%s' "$text" >"$seeds/layers/$line"
done
printf '\x00\x00\x02conv:4:3:s2:p1 bn relu@a conv:4:3:p1 bn add:a relu avgpool:all dropout:0.5 dense:classes' >"$seeds/layers/residual"

# pictures of one or two strokes, of few pixels
printf '\x00P5 16 12 255\n' >"$seeds/picture/pgm"
for ((i = 0; i < 192; i++)); do printf '%b' "\\x$((i % 16 / 3 == 2 ? 20 : 70))"; done >>"$seeds/picture/pgm"
printf '\x01P1 5 3\n01000\n01100 00100' >"$seeds/picture/pbm"
# picture NAME < BASE64
picture() {
    { printf '\0' && base64 -d; } >"$seeds/picture/$1"
}
picture png <<END
iVBORw0KGgoAAAANSUhEUgAAADAAAAAgCAAAAABxv6TAAAAACXBIWXMAAAAAAAAAAACdYiYyAAAAOklEQVQ4jWP8z0AaYCJR/bDQwIJgijIwMLyGsuWRlDwcOCchA4gz5DEcNCiDdVTD
qIYB08A4WvIRAQDugwYiGuYUIwAAAABJRU5ErkJggg==
END
picture jpg <<END
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAYABgBAREA/8QA
HwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3
ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3
+Pn6/9oACAEBAAA/AOmrN/tX/idf2d5H/bTf/s7umK0qK5z/AJnP/P8Azzro6Kzf7K/4nX9o+f8A9s9n+zt65rSr/9k=
END
picture webp <<END
UklGRkQAAABXRUJQVlA4IDgAAACQAwCdASoYABgAPzmIulOvKSWisAgB4CcJaQAAW+qpd5bsPRUYAP7qZo9n6qt9ez9YJ9YkG6AAAA==
END
picture gif <<END
R0lGODdhGAAYAIAAAP///wAAACwAAAAAGAAYAAACKISPqcvtD6MEoYaZ7MVH8259hieSn8mhmDqxkhvBkPzQjt3g4s73UAEAOw==
END
picture tif <<END
SUkqABQAAADyd///////+PgAgAgOAAABAwABAAAAGAAAAAEBAwABAAAAGAAAAAIBAwABAAAAAQAAAAMBAwABAAAABAAAAAYBAwABAAAAAAAAABEBBAABAAAACAAAABIBAwABAAAAAQAA
ABUBAwABAAAAAQAAABYBAwABAAAAGAAAABcBBAABAAAADAAAABoBBQABAAAAwgAAABsBBQABAAAAygAAABwBAwABAAAAAQAAACgBAwABAAAAAgAAAAAAAAAsAQAAAQAAACwBAAABAAAA
END
picture bmp <<END
Qk2eAAAAAAAAAD4AAAAoAAAAGAAAABgAAAABAAEAAAAAAGAAAAAAAAAAAAAAAAIAAAACAAAA/////wAAAP8AAAAAAAAAAAAAAAAAAAAAADwAAAA8AAAAPAAAADwAAAA8AAAAPAAAADwA
AAA8AAAAPAAAADwAAAA8AAAAPAAAADwAAAA8AAAAPAAAADwAAAAAAAAAAAAAAAAAAAAAAAA=
END
picture jp2 <<END
AAAADGpQICANCocKAAAAFGZ0eXBqcDIgAAAAAGpwMiAAAAAtanAyaAAAABZpaGRyAAAAGAAAABgAAQcHAAAAAAAPY29scgEAAAAAABEAAAC5anAyY/9P/1EAKQAAAAAAGAAAABgAAAAA
AAAAAAAAABgAAAAYAAAAAAAAAAAAAQcBAf9SAAwAAAABAAAEBAAB/1wABEBA/2QAUQABQ3JlYXRlZCBieSBMZXB0b25pY2EsIHZlcnNpb24gbGVwdG9uaWNhLTEuODIuMDsgdXNpbmcg
T3BlbkpQRUcsIHZlcnNpb24gMi41LjD/kAAKAAAAAAAbAAH/k8qwFABcrpmXTu3lAJL/2Q==
END

"$program" prepare --idx "$work" --out "$work/data.h5" 2>/dev/null >/dev/null
# train NAME MODEL KEY=VALUE...: the model and its metrics
train() {
    local name=$1 model=$2 sets=()
    shift 2
    for key; do sets+=(--set "$key"); done
    printf '[run]\nmodel = %s\nvalid = 4\n' "$model" >"$work/$name.ini"
    "$program" train "$work/$name.ini" --data "$work/data.h5" --run "$work/$name" "${sets[@]}" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
    cp "$work/$name/model.h5" "$seeds/h5_model/$name"
    cp "$work/$name/metrics.h5" "$seeds/h5_metrics/$name"
}
train knn knn knn.k=1
train pruned knn knn.k=auto
train svm svm svm.probability=no
train cnn cnn "cnn.layers=conv:2:3 bn relu pool:2 dense:classes" cnn.epochs=2 cnn.batch=4
train ensemble cnn cnn.members=2 "cnn.layers=dense:classes" cnn.epochs=1 cnn.batch=4
cp "$work/data.h5" "$seeds/h5_dataset/data"
"$program" export "$work/svm" --out "$work/svm.model" 2>/dev/null
{ printf '\x08\x08' && cat "$work/svm.model"; } >"$seeds/libsvm/model"
# as long as their header says: without the room to grow, and the checksum, which the fuzzers add
for file in "$seeds"/h5_*/*; do truncate -s "$(od -An -tu8 -j40 -N8 "$file" | tr -d ' ')" "$file"; done
