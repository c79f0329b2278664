#!/usr/bin/env bash
# Submits jobs that follow each other: prepares a dataset, if --idx is given, trains, and evaluates the model. Each begins when the one before it
# has ended well; if one fails, Slurm cancels the others. Run it where you run sbatch:
#     jobs/chain.sh [--idx DIR] [OPTION_OF_SBATCH]... CONFIG.ini RUN_FOLDER [--data FILE.h5] [--set section.key=value]...
#     jobs/chain.sh --nodes=4 --time=02:00:00 configs/cnn.ini results/cnn
# Options of sbatch are for the training, written as --name=value. The dataset is written to FILE.h5 (data/mnist.h5 unless given). Prints the numbers of the jobs.
set -euo pipefail
jobs=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage="jobs/chain.sh [--idx DIR] [--nodes=N]... CONFIG.ini RUN_FOLDER [--data FILE.h5] [--set section.key=value]..."

refuse() {
    echo "chain.sh: $*: $usage" >&2
    exit 2
}

# submit JOB_BEFORE OPTION... SCRIPT ARGUMENT...: prints the number of the job.
submit() {
    local before=$1 after=()
    shift
    [[ -z $before ]] || after=(--dependency="afterok:$before" --kill-on-invalid-dep=yes)
    sbatch --parsable "${after[@]}" "$@" | cut -d ';' -f 1
}

# option NAME WORD...: what stands after NAME or NAME=, if it is there.
option() {
    local name=$1
    shift
    while [[ $# -gt 0 ]]; do
        case $1 in
        "$name") printf '%s\n' "${2:-}" && return ;;
        "$name="*) printf '%s\n' "${1#*=}" && return ;;
        esac
        shift
    done
}

# names_dataset CONFIG WORD...: whether the configuration or a setting does, by run.data.
names_dataset() {
    local config=$1
    shift
    [[ $* == *run.data* ]] || grep -qE '^[[:space:]]*data[[:space:]]*[=:]' "$config"
}

# check_options WORD...: what follows RUN_FOLDER are options of `pardigits train`, some with a value after them.
check_options() {
    while [[ $# -gt 0 ]]; do
        [[ $1 == --* ]] || refuse "the word $1 is too many"
        if [[ $1 =~ ^--(data|set|init|trace)$ ]]; then
            [[ $# -ge 2 ]] || refuse "the value of $1 is missing"
            shift
        fi
        shift
    done
}

idx='' options=() last=
while [[ ${1:-} == -* ]]; do
    if [[ $1 == --idx ]]; then
        [[ -n ${2:-} && $2 != --* ]] || refuse "the DIR of --idx is missing"
        idx=$2
        shift
    elif [[ $1 == --data* || $1 == --set* ]]; then
        refuse "${1%%=*} comes after RUN_FOLDER"
    else
        options+=("$1")
    fi
    shift
done
[[ -n ${1:-} ]] || refuse "CONFIG.ini is missing"
[[ -n ${2:-} && $2 != --* ]] || refuse "RUN_FOLDER is missing"
config=$1
run=$2
[[ $run != -* ]] || run=./$run # or a command would take it for an option
[[ -f $config ]] || config=$(dirname "$jobs")/$1
[[ -f $config ]] || refuse "the configuration $1 is neither in $PWD nor in $(dirname "$jobs") (options of sbatch are written as --name=value)"
[[ " $* " != *" --idx"* ]] || refuse "--idx comes before CONFIG.ini"
check_options "${@:3}"
[[ -z ${PARDIGITS_SITE:-} || (-r $PARDIGITS_SITE && ! -d $PARDIGITS_SITE) ]] || refuse "$PARDIGITS_SITE, which PARDIGITS_SITE names, isn't there or can't be read"
type sbatch >/dev/null 2>&1 || {
    echo "chain.sh: this submits jobs to Slurm, but there is no sbatch here: run it where you submit jobs; without Slurm use \`pardigits prepare\`, \`train\` and \`evaluate\`." >&2
    exit 2
}
data=$(option --data "$@")
if [[ -n $idx ]]; then
    [[ -n $data ]] || ! names_dataset "$config" "$@" || refuse "name the dataset that is to be written by --data, not by run.data"
    [[ -n $data ]] || set -- "$@" --data data/mnist.h5
    mkdir -p -- "$(dirname -- "${data:-data/mnist.h5}")"
    last=$(submit "" "$jobs/prepare.sbatch" --idx "$idx" --out "${data:-data/mnist.h5}")
    echo "prepare  $last"
fi
last=$(submit "$last" "${options[@]}" "$jobs/train.sbatch" "$@")
echo "train    $last"
last=$(submit "$last" "$jobs/evaluate.sbatch" "$run" ${data:+--data "$data"})
echo "evaluate $last"
