# pardigits bench prints what it promises; how fast is no matter here.
load common

@test "bench kernels: each layer with weights, three rates and shares of the core's peak" {
    run on 1 1 bench kernels configs/lenet.ini --images 2
    echo "$output"
    [[ $output == *'multiply-adds between registers, GFLOP/s  '* ]]
    [[ $(grep -cE '^(conv|dense):[0-9:]+ +[0-9x]+ +2 +2( +[0-9]+\.[0-9] +[0-9]+){3}$' <<<"$output") -eq 4 ]]
    [[ $("$PARDIGITS" bench kernels configs/lenet.ini --images 2 --csv | cut -d, -f 1,5 | sed -nE 's/,[0-9.]+$//p' | tr '\n' ' ') == \
        'conv:20:5 conv:50:5 dense:500 dense:10 ' ]]
}

@test "bench pixdot: the kernel's name and a rate" {
    run on 2 1 bench pixdot
    echo "$output"
    [[ $(grep -cE '^kernel +[a-z0-9-]+$' <<<"$output") -eq 1 ]]
    [[ $(grep -cE '^G exact multiply-adds/s of one thread +[0-9]+\.[0-9]$' <<<"$output") -eq 1 ]]
    # anywhere, as the next one
    cd "$BATS_TEST_TMPDIR" || return
    "$PARDIGITS" bench pixdot
    "$PARDIGITS" bench comm 2>err | grep '^gradients of the network'
    grep "configs/cnn.ini isn't here: the network is that of the keys' defaults" err
}

@test "bench comm: sums by size and algorithm, the last one as large as the network's gradient" {
    sed 's/^epochs/sum_bits = 16\nepochs/' configs/lenet.ini >"$BATS_TEST_TMPDIR/lenet16.ini"
    run on 3 1 bench comm "$BATS_TEST_TMPDIR/lenet16.ini" --csv
    echo "$output"
    [[ $(grep -c . <<<"$output") -eq 10 ]]
    [[ $output == *"bytes,chosen,doubling_ms,halving_ms,ring_ms,mpi_ms,blocking_ms"* ]]
    [[ $(tail -n 1 <<<"$output") =~ ^862[0-9]{3},(ring|halving|doubling)(,[0-9.]+){5}$ ]]
}

@test "bench step: the phases of a micro-batch, the update, and barriers" {
    run on 1 2 bench step configs/cnn-fast.ini --images 64 --csv
    echo "$output"
    [[ $(head -n 1 <<<"$output") == phase,first_layer,last_layer,groups,least_us,us ]]
    [[ $(sed '/^$/,$d' <<<"$output" | cut -d, -f 1 | uniq | tr '\n' ' ') == 'phase load forward loss backward update ' ]]
    [[ $(tail -n 1 <<<"$output") =~ ^2,[0-9.]+$ ]]
    run on 1 2 bench step configs/cnn-fast.ini --images 64
    [[ $(grep -cE '^barriers in that micro-batch +[0-9]+$' <<<"$output") -eq 1 ]]
}

@test "bench: what can't be measured is refused" {
    fails_on 2 2 "bench nothing isn't one of pixdot, kernels, comm, step" bench nothing
    fails_on 1 2 '--images' bench kernels --images many
    fails_on 2 2 'none.ini' bench comm none.ini
    fails_on 1 2 'run.model = svm' bench kernels configs/svm.ini
    fails_on 2 2 'run.model = svm' bench comm configs/svm.ini
}
