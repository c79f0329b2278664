#!/usr/bin/env bash
# Trains KNN, SVM and CNN on all of MNIST with two MPI ranks, then shows what they reach. Called by `make demo`.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=src/setup/mpi_env.sh
. src/setup/mpi_env.sh
program=${BUILD:-build}/pardigits
ranks=2
cores=$(nproc)
export OMP_NUM_THREADS=$((cores > ranks ? cores / ranks : 1))
mpi=(mpirun -n "$ranks")

step() {
    printf '\n== %s\n' "$*"
}

echo "pardigits demo: $ranks MPI ranks with $OMP_NUM_THREADS OpenMP thread(s) each, on $cores core(s)"
models=()
for config in configs/knn.ini configs/svm.ini configs/cnn.ini; do
    name=$(basename "$config" .ini)
    step "mpirun -n $ranks $program train $config --run results/demo-$name --overwrite"
    "${mpi[@]}" "$program" train "$config" --run "results/demo-$name" --overwrite
    models+=("results/demo-$name/model.h5")
done

step "mpirun -n $ranks $program evaluate ${models[*]}"
"${mpi[@]}" "$program" evaluate "${models[@]}"

step "$program show data/mnist.h5 --out results/samples.png"
"$program" show data/mnist.h5 --out results/samples.png

bash src/setup/draw_digits.sh data/mnist results/pictures
step "$program predict results/demo-cnn/model.h5 results/pictures/*.ppm"
"$program" predict results/demo-cnn/model.h5 results/pictures/*.ppm

step "mpirun -n $ranks $program report results/demo-{knn,svm,cnn} --out results/report.html --figures results/figures"
"${mpi[@]}" "$program" report results/demo-{knn,svm,cnn} --out results/report.html --figures results/figures

cat <<END

What you have now:
  results/report.html           a page about these models; open it in a browser:
                                xdg-open $PWD/results/report.html
  results/figures/              its figures, as SVG and PNG
  results/demo-{knn,svm,cnn}/   the trained models, and how training went (model.h5, metrics.h5, config.ini)
  results/samples.png           some of the digits
  results/pictures/             test digits drawn in other sizes and colours
Next:
  $program show results/demo-cnn/metrics.h5
  $program digest results/demo-cnn/model.h5      the same for any number of ranks and threads
  $program predict results/demo-cnn/model.h5 PICTURE...   digits of your own: photographs, scans, whole pages
  . src/setup/mpi_env.sh; mpirun -n 4 $program train configs/cnn.ini --run results/more --set cnn.epochs=10
  make check
END
