# pardigits bench prints what it promises; how fast is no matter here.
load common

@test "bench kernels: each layer with weights, three rates and shares of the core's peak" {
    run on 1 1 bench kernels configs/lenet.ini --images 2
    echo "$output"
    [[ $output == *'multiply-adds between registers: '*' GFLOP/s'* ]]
    [[ $(grep -cE '^(conv|dense):[0-9:]+ +[0-9x]+ +2 +2( +[0-9]+\.[0-9] +[0-9]+ %){3}$' <<<"$output") -eq 4 ]]
}

@test "bench pixdot: the kernel's name and a rate" {
    run on 2 1 bench pixdot
    echo "$output"
    [[ $(grep -cE 'kernel [a-z0-9-]+: [0-9]+\.[0-9] G exact multiply-adds/s' <<<"$output") -eq 1 ]]
}

@test "bench comm: the terms of the configuration's network over the ranks" {
    run on 3 1 bench comm configs/lenet.ini
    echo "$output"
    [[ $(grep -cE '^3 ranks; exact sum of 43[0-9]+ terms \(3\.[0-9] MB\): [0-9.]+ ms at best, [0-9.]+ ms' <<<"$output") -eq 1 ]]
}

@test "bench: what can't be measured is refused" {
    fails_on 2 2 "bench nothing isn't one of kernels, pixdot, comm" bench nothing
    fails_on 1 2 '--images' bench kernels --images many
    fails_on 2 2 'none.ini' bench comm none.ini
    fails_on 1 2 'run.model = svm' bench kernels configs/svm.ini
    fails_on 2 2 'run.model = svm' bench comm configs/svm.ini
}
