# pardigits report, watch and the curves of show: what the files say. A browser tries the page in tests/report.
load common

small=(--data "$data" --set run.train=600 --set run.valid=200)

setup_file() {
    export runs=$BATS_FILE_TMPDIR
    "$PARDIGITS" train configs/knn.ini "${small[@]}" --run "$runs/knn"
    on 2 1 train configs/cnn.ini "${small[@]}" --set cnn.epochs=2 --run "$runs/<b>%dcnn'&"
}

# in_page PROGRAM: Python with the page's data: page, runs.
in_page() {
    /usr/bin/python3 -c "import html.parser, json, re, sys
text = open('$runs/report.html', encoding='utf-8').read()
part = lambda name: re.search('id=\"' + name + '-data\">\n(.*?)</script>', text, re.S).group(1)
page, runs = json.loads(part('page')), [json.loads(line) for line in part('runs').strip().split('\n')]
$1"
}

@test "report: a page of its own, whose numbers are those of evaluate" {
    on 2 1 report "$runs/knn" "$runs/<b>%dcnn'&" --split valid --out "$runs/report.html" --figures "$runs/figures"
    "$PARDIGITS" evaluate "$runs/knn" "$runs/<b>%dcnn'&" --split valid --json >"$runs/evaluated"
    "$PARDIGITS" evaluate "$runs/knn" --split valid --predictions "$runs/each.csv"
    in_page "
evaluated = [json.loads(line) for line in open('$runs/evaluated')]
for run, truth in zip(runs, evaluated):
    assert (run['n'], run['correct'], run['confusion']) == (truth['n'], truth['correct'], truth['confusion'])
    wrong = [p for p in run['pictures'] if p['label'] != p['predicted']]
    assert len(wrong) == truth['n'] - truth['correct'] and run['low'] < run['accuracy'] < run['high']
    assert sum(b['images'] for b in run['calibration']) == run['n'] and run['model'][0]['digest']
pair, = page['pairs']
assert pair['only_a'] - pair['only_b'] == runs[0]['correct'] - runs[1]['correct'] and 0 < pair['p'] <= 1
assert {i['index'] for i in page['images']} == {p['index'] for r in runs for p in r['pictures']}
assert all(i['png'].startswith('data:image/png;base64,iVBOR') for i in page['images'])
assert [l['layer'] for l in runs[1]['model'][0]['layers']][:2] == ['conv:16:3', 'bn']
assert [run['first'] for run in runs] == [$(awk -F, 'NR == 2 { print $1 ", " $1 }' "$runs/each.csv")]
assert len(runs[1]['metrics'][0]['epochs']) == 2 and runs[1]['name'].endswith(\"<b>%dcnn'&\")
kinds = [f['kind'] for f in page['figures']]
assert kinds == ['accuracy', 'learning', 'calibration', 'times', 'confusion', 'confusion'], kinds
assert any('%dcnn' in f['svg'] for f in page['figures'] if f['kind'] == 'accuracy') # the end of a path of any length
accuracy, = [f['svg'] for f in page['figures'] if f['kind'] == 'accuracy']
assert not re.search('>10[0-9][0-9.]*<', accuracy.replace('>100<', '')) # no share above 100 %
learning, = [f['svg'] for f in page['figures'] if f['kind'] == 'learning']
assert 'loss: training dashed, held-out images solid' in learning
import os, xml.dom.minidom
for f in page['figures']:
    xml.dom.minidom.parseString(f['svg'])
    assert all(os.path.getsize('$runs/figures/' + f['name'] + e) > 1000 for e in ('.svg', '.png'))"
}

@test "report: the same images under other class names are another set, which isn't compared" {
    needs h5py
    cd "$BATS_TEST_TMPDIR"
    /usr/bin/python3 - "$data" <<'PY'
import h5py, sys
whole = h5py.File(sys.argv[1])
for name, names in ("a", "abcdefghij"), ("b", "jihgfedcba"):
    with h5py.File(name + ".h5", "w") as file:
        file.attrs.update({"format": "pardigits dataset", "version": 1, "classes": 10, "class_names": "\n".join(names)})
        for path in "train/images", "train/labels", "test/images", "test/labels":
            file[path] = whole[path][:50]
PY
    for name in a b; do "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --set run.valid=0 --data $name.h5 --run $name; done
    cp a.h5 copy.h5
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --set run.valid=0 --data copy.h5 --run copy
    "$PARDIGITS" report a b copy --out "$runs/report.html"
    in_page "
assert [''.join(c['name'] for c in s['classes']) for s in page['sets']] == ['abcdefghij', 'jihgfedcba']
assert [run['set'] for run in runs] == [0, 1, 0] and [run['data'].split('/')[-1] for run in runs] == ['a.h5', 'b.h5', 'copy.h5']
assert [(p['a'], p['b']) for p in page['pairs']] == [(0, 2)], page['pairs']"
}

@test "report: the page is well-formed, loads nothing and lets no text be markup" {
    [[ -e $runs/report.html ]] || "$PARDIGITS" report "$runs/knn" "$runs/<b>%dcnn'&" --split valid --out "$runs/report.html"
    in_page "
class Reader(html.parser.HTMLParser):
    open, seen = [], []
    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in ('meta', 'link', 'br', 'img'): self.open.append(tag)
        for name, value in attributes:
            assert name not in ('src', 'href') or value[0] in '#d', value
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
Reader().feed(text)
assert not Reader.open and 'b' not in Reader.seen and '<b>' not in text, Reader.open
assert \"default-src 'none'\" in text and 'import ' not in text and '@import' not in text
assert not re.findall('(?:fetch|XMLHttpRequest|WebSocket|importScripts) *[(]', text) and 'url(' not in part('page').replace('url(#', '')"
}

@test "report: unfinished runs and models alone; without gnuplot no figures; bad input has its sentence" {
    cd "$BATS_TEST_TMPDIR"
    mkdir begun && cp "$runs/<b>%dcnn'&/config.ini" begun
    PATH=$BATS_TEST_TMPDIR "$PARDIGITS" report begun "$runs/knn/model.h5" --out page.html --split valid 2>err
    grep 'no figures are drawn' err
    grep 'begun is shown without predictions: it has no model yet' err
    grep -q '"no_predictions":"it has no model yet"' page.html
    grep -q '"name":"begun"' page.html
    on 1 1 train "$OLDPWD/configs/knn.ini" "${small[@]}" --run one
    # runs of another configuration don't keep those of two sizes from being a study
    on 1 1 train "$OLDPWD/configs/knn.ini" "${small[@]}" --set knn.k=5 --run other
    PATH=$BATS_TEST_TMPDIR "$PARDIGITS" report other one "$runs/knn" --out page.html --split valid
    grep -qE '"studies":\[\{"model":"knn","title":"strong scaling of evaluation, 200 held-out images, 600 training images",.*"speedup":[0-9.]+' page.html
    # one that has saved nothing yet, then of an ensemble a member
    mkdir team && cp begun/config.ini team
    "$PARDIGITS" report team "$runs/knn/model.h5" --out page.html --split valid 2>&1 | grep 'team is shown without predictions: it has no model yet'
    grep -q '"name":"team","no_predictions":"it has no model yet"' page.html
    local command
    for command in evaluate digest show "export --out e.onnx" "predict page.html"; do
        # shellcheck disable=SC2086
        fails 1 "team has no model yet: its training hasn't saved one" "$PARDIGITS" ${command%% *} team ${command#"${command%% *}"}
    done
    # or whose model was removed, but not the one before it
    cp -r "$runs/<b>%dcnn'&" lost-model && mv lost-model/model.h5 lost-model/model.prev.h5
    fails 1 'lacks the predictions of 1 of 1 runs' "$PARDIGITS" report lost-model --out page.html
    grep -q "\"no_predictions\":\".*the model saved before it is: lost-model/model.prev.h5" page.html
    rm lost-model/model.prev.h5
    fails 1 "isn't there any more, though its training is complete" "$PARDIGITS" show lost-model
    cp "$runs/<b>%dcnn'&/model.h5" team/model.member-00.h5 && rm team/config.ini
    fails_on 2 1 'as files of their own: team/model.member-*.h5' evaluate team
    "$PARDIGITS" report team "$runs/knn/model.h5" --out page.html --split valid
    # a run whose dataset is gone keeps the rest of the page
    cp "$data" lost.h5
    "$PARDIGITS" train "$OLDPWD/configs/knn.ini" --data lost.h5 --set run.train=50 --run lost
    rm lost.h5
    fails 1 'lacks the predictions of 1 of 2 runs' "$PARDIGITS" report lost "$runs/knn" --out lost.html
    grep -q "\"no_predictions\":\".*lost.h5, which lost/model.h5 was trained on, isn't there any more" lost.html
    [[ $(grep -c '"accuracy":' lost.html) -ge 1 ]]
    # so does one whose model or metrics are damaged
    cp -r "$runs/knn" harmed
    printf harm | dd of=harmed/model.h5 bs=1 seek=3000 conv=notrunc
    truncate -s 100 harmed/metrics.h5
    fails 1 'lacks the predictions of 1 of 2 runs' "$PARDIGITS" report harmed "$runs/knn" --split valid --out harmed.html
    grep -q '"no_predictions":"harmed/model.h5 is damaged' harmed.html
    [[ $(grep -c '"accuracy":' harmed.html) -ge 1 ]]
    cp "$runs/knn/model.h5" harmed
    fails 1 'lacks the metrics of 1 of 1 runs' "$PARDIGITS" report harmed --split valid --out harmed.html
    grep -q '"no_metrics":"harmed/metrics.h5' harmed.html
    # what isn't a run, or a name that isn't a page's, costs no page
    cp harmed.html before
    fails 1 "$data isn't a run" "$PARDIGITS" report "$runs/knn" "$data" --out harmed.html
    cmp before harmed.html
    cp begun/config.ini config
    fails 2 "config isn't a web page" "$PARDIGITS" report "$runs/knn" --out config
    fails 2 'is empty: name a file' "$PARDIGITS" report "$runs/knn" --out ""
    fails 2 "doesn't stand for standard output" "$PARDIGITS" report "$runs/knn" --out -
    fails 1 "gone.h5" "$PARDIGITS" report "$runs/knn" --data gone.h5 --out gone.html
    [[ ! -e gone.html ]]
    fails 2 'are the same file: name each model once' "$PARDIGITS" report "$runs/knn" "$runs/knn/model.h5"
    fails 2 "page.html isn't a folder" "$PARDIGITS" report "$runs/knn" --figures page.html
    fails 1 "nowhere isn't a run" "$PARDIGITS" report "$runs/knn" nowhere --figures unused
    [[ ! -e unused ]]
    fails 2 'RUN is missing' "$PARDIGITS" report
    fails 2 '--split all' "$PARDIGITS" report "$runs/knn" --split all
    fails 1 "can't be written" "$PARDIGITS" report "$runs/knn" --split valid --out nowhere/page.html
    # a gnuplot that fails costs the figures alone
    mkdir failing && printf '#!/bin/sh\nexit 3\n' >failing/gnuplot && chmod +x failing/gnuplot
    PATH=$PWD/failing:$PATH fails 1 'four.html lacks figures' "$PARDIGITS" report "$runs/knn" --split valid --out four.html
    grep 'gnuplot ended with code 3' err
    grep -q '"no_figures":"Figures are missing' four.html
    # four images, all sure: no figure of what has no points, no warnings of gnuplot; a mean of ones is 1
    "$PARDIGITS" train "$OLDPWD/configs/knn.ini" --data "$data" --set run.train=4 --set knn.k=1 --run four
    "$PARDIGITS" report four --split train --out four.html 2>err
    [[ -z $(grep -i 'warning' err) && -z $(grep '"kind":"calibration"' four.html) ]]
    grep -q '"kind":"times"' four.html
    [[ $("$PARDIGITS" evaluate four --json | field mean_confidence) == 1 ]]
    [[ ${SANITIZER:-} != thread ]] || return 0 # LLVM's OpenMP doesn't start under a limit of file sizes
    # a file that can't grow stands for a full disk
    trap '' XFSZ
    ulimit -f 30
    fails 1 "full.html can't be written: File too large" "$PARDIGITS" report "$runs/knn" --split valid --out full.html
    grep "figures are missing: .* couldn't be written whole" err
    run env PATH="$BATS_TEST_TMPDIR" "$PARDIGITS" report "$runs/knn" --split valid --out full.html
    [[ $status -eq 1 && $output == *"full.html can't be written: File too large"* ]]
    [[ ! -e full.html ]]
}

# shows_member RUN PID: waits until watch shows a member under way, where it runs and how far it is.
shows_member() {
    until "$PARDIGITS" watch "$1" --once --json 2>/dev/null | grep -E '"hosts":"[^"]+","member":[01],"state":"going on","place":"epoch [0-9]+/'; do
        kill -0 "$2"
        sleep 0.1
    done
}

@test "watch: an ensemble under way, gone on with, and complete with a curve a member" {
    local team=(configs/cnn-fast.ini "${small[@]}" --set cnn.members=2 --set "cnn.layers=pool:4 dense:10" --run "$BATS_TEST_TMPDIR/team")
    for option in --overwrite --resume; do
        "$PARDIGITS" train "${team[@]}" --set cnn.epochs=50000 $option 3>&- &
        shows_member "$BATS_TEST_TMPDIR/team" $!
        kill -USR1 $!
        wait $! || [[ $? -eq 75 ]]
        "$PARDIGITS" watch "$BATS_TEST_TMPDIR/team" --once --json | grep '"state":"stopped'
    done
    on 2 1 train "${team[@]}" --set cnn.epochs=2 --overwrite
    "$PARDIGITS" watch "$BATS_TEST_TMPDIR/team" --once >"$BATS_TEST_TMPDIR/complete"
    cat "$BATS_TEST_TMPDIR/complete"
    [[ $(grep -cE '^held-out loss  *[01]  ' "$BATS_TEST_TMPDIR/complete") -eq 2 && $(grep -c 'seconds so far' "$BATS_TEST_TMPDIR/complete") -eq 0 ]]
    grep -E '^seconds  *[0-9]+$' "$BATS_TEST_TMPDIR/complete"
    # the ranks of its phases are those of the run: a member for each
    "$PARDIGITS" show "$BATS_TEST_TMPDIR/team/metrics.h5" --json | /usr/bin/python3 -c 'import json, sys
phases = json.load(sys.stdin)["phases"]
assert {(row["member"], row["min_rank"], row["max_rank"]) for row in phases} == {(0, 0, 0), (1, 1, 1)}, phases'
}

@test "watch: a run until it ends, one that has ended, and no run" {
    needs h5py
    ln -s "$PWD/configs" "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    mkdir begun
    "$PARDIGITS" watch begun --every 0.1 >seen 2>err &
    watching=$!
    "$PARDIGITS" watch begun --every 0.1 --json >seen.json &
    local lines=$!
    "$PARDIGITS" train configs/cnn.ini "${small[@]}" --set cnn.epochs=2 --run begun
    timeout 30 tail --pid=$watching -f /dev/null
    wait $watching $lines
    python3 -c 'import json; assert [json.loads(line) for line in open("seen.json")][-1]["state"] == "complete"'
    grep 'begun has no metrics yet: waiting' err
    grep 'state *complete' seen
    "$PARDIGITS" watch begun --once --json | grep -F '"place":"epoch 2/2, step 10/10 (100.0 %)"'
    "$PARDIGITS" watch begun --once | grep 'held-out loss'
    /usr/bin/python3 -c 'import h5py
run, bare = h5py.File("begun/metrics.h5"), h5py.File("bare.h5", "w") # without the column `step`
for name in run: run.copy(name, bare)
bare.attrs.update(run.attrs)
steps = bare["steps"][:]
del bare["steps"]
bare["steps"] = steps[[name for name in steps.dtype.names if name != "step"]]'
    mkdir bare && mv bare.h5 bare/metrics.h5
    "$PARDIGITS" watch bare --once --json >bare.json || [[ $? -eq 1 ]]
    grep '"curve"' bare.json
    if grep '"place"' bare.json; then false; fi
    SLURM_JOB_ID=1 "$PARDIGITS" train configs/knn.ini "${small[@]}" --run job 2>err
    [[ $(grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} hosts: [^ ]' err) -eq 1 ]]
    [[ $(grep -cvE '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} ' err) -eq 0 ]]
    "$PARDIGITS" watch job --once >job.txt # no heading of curves, of which there are none
    if grep curves job.txt; then false; fi
    fails 1 "nowhere can't be read" "$PARDIGITS" watch nowhere
    fails 1 'none of a run' "$PARDIGITS" watch configs
    mkdir empty
    fails 1 'empty has no metrics.h5' "$PARDIGITS" watch empty --once
    fails 2 '--every soon' "$PARDIGITS" watch empty --every soon
    # a run killed before it had metrics, then one that has some
    touch empty/.lock
    fails 1 'nobody works on it any more' "$PARDIGITS" watch empty --once
    fails 1 'nobody works on it any more' "$PARDIGITS" watch empty --every 0.1
    # an ensemble under way, by the member that wrote last
    mkdir team
    /usr/bin/python3 -c 'import fcntl, time
lock = open("team/.lock", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
time.sleep(60)' 3>&- &
    local holding=$!
    until [[ -e team/.lock ]]; do kill -0 $holding; sleep 0.05; done
    sleep 0.2
    fails 1 'team has no metrics yet' "$PARDIGITS" watch team --once
    # how long a run takes: whole epochs of 600 images, the last batch of which is smaller, and what ends them
    /usr/bin/python3 - 2>holder 3>&- <<'PY' &
import fcntl, h5py, os, time
os.mkdir("half")
with h5py.File("begun/metrics.h5") as whole, h5py.File("half/.made", "w") as half:
    for name, value in whole.attrs.items(): half.attrs[name] = value
    for name in whole: whole.copy(name, half)
    del half["run"].attrs["complete"]
    for name, rows in ("steps", 7), ("epochs", 1):
        cut = half[name][:rows]
        cut["seconds"] = 2
        del half[name]
        half[name] = cut
    cut = half["phases"][:]
    cut = cut[cut["epoch"] == 1]
    for phase, seconds in (b"validate", 30), (b"checkpoint", 4): cut["median_s"][cut["phase"] == phase] = seconds
    seconds = cut["median_s"][(cut["phase"] == b"validate") | (cut["phase"] == b"checkpoint")].sum()
    del half["phases"]
    half["phases"] = cut
lock = open("half/.lock", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
with open("half/expected", "w") as f: f.write(f"{(600 + 2 * 128) / 14} {(600 - 2 * 128) / ((600 + 2 * 128) / 14) + seconds}")
os.rename("half/.made", "half/metrics.h5")
time.sleep(60)
PY
    local timing=$!
    until [[ -e half/metrics.h5 ]]; do kill -0 $timing; sleep 0.05; done
    "$PARDIGITS" watch half --once --json >half.json
    # a terminal of few columns and rows is drawn over, and never wraps or scrolls
    /usr/bin/python3 - "$PARDIGITS" 3>&- <<'PY'
import fcntl, os, pty, re, struct, sys, termios, time
pid, terminal = pty.fork()
if not pid:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 9, 30, 0, 0))
    os.execv(sys.argv[1], [sys.argv[1], "watch", "half", "--every", "0.1"])
seen = b""
for _ in range(3):
    drawn = seen.count(b"images/s")
    os.utime("half/metrics.h5", (time.time(), time.time() - 100 * (_ + 1)))
    while seen.count(b"images/s") == drawn: seen += os.read(terminal, 65536)
time.sleep(0.2)
os.kill(pid, 9)
os.waitpid(pid, 0)
pictures = re.split(rb"\x1b\[(\d+)A\x1b\[J", seen)
for picture, up in zip(pictures[::2], pictures[1::2]):
    lines = picture.decode().split("\r\n")[:-1]
    assert len(lines) == int(up) == 8 and max(map(len, lines)) == 30, (lines, up)
PY
    kill $timing
    python3 -c 'import json, sys
run, (rate, left) = json.load(open("half.json")), map(float, open("half/expected").read().split())
assert left > 30 and abs(run["images_per_s"] / rate - 1) < 1e-6 and abs(run["left_s"] / left - 1) < 1e-6, (run, rate, left)'
    cp begun/metrics.h5 team/model.member-00.metrics.h5
    "$PARDIGITS" watch team --once --json | grep '"member":0,"state":"going on"'
    cp begun/metrics.h5 team/model.member-01.metrics.h5
    touch -d '1 hour ago' team/model.member-00.metrics.h5
    "$PARDIGITS" watch team --every 0.1 >seen 2>err 3>&- &
    watching=$!
    until grep 'member (from 0) *1' seen; do kill -0 $watching; sleep 0.05; done
    kill $holding
    wait $watching || [[ $? -eq 1 ]]
    grep "team isn't complete, but nobody works on it any more" err
    "$PARDIGITS" watch team --once --json | grep '"member":1,"state":"nobody works on it any more'
    "$PARDIGITS" train configs/cnn-fast.ini "${small[@]}" --set cnn.epochs=500 --overwrite --run begun 3>&- &
    until "$PARDIGITS" watch begun --once --json 2>/dev/null | grep -E '"state":"going on","place":"epoch [0-9]+/500,'; do kill -0 $!; sleep 0.1; done
    kill -KILL $!
    wait $! || true
    "$PARDIGITS" watch begun --once --json | grep '"state":"nobody works on it any more'
    fails 1 'nobody works on it any more' "$PARDIGITS" watch begun
    # one that is gone on with, until its folder gets another name
    "$PARDIGITS" train configs/cnn-fast.ini "${small[@]}" --set cnn.epochs=5000 --overwrite --run begun 2>log 3>&- &
    local training=$!
    until grep -q '^epoch' log; do kill -0 $training; sleep 0.05; done
    kill -USR1 $training
    wait $training || true
    "$PARDIGITS" watch begun --once --json | grep '"state":"stopped'
    # others than watch say, too, that it isn't finished
    "$PARDIGITS" report begun --split train --out page.html 2>&1 | grep "begun/model.h5 is shown without predictions: its training isn't finished"
    grep -q '"no_predictions":"its training' page.html
    "$PARDIGITS" export begun --out begun.onnx 2>&1 | grep "note: the training of begun/model.h5 isn't finished: .* of 5000 epochs trained"
    "$PARDIGITS" train configs/cnn-fast.ini "${small[@]}" --set cnn.epochs=5000 --resume --run begun 2>log 3>&- &
    training=$!
    until [[ -e begun/.lock ]]; do kill -0 $training; sleep 0.02; done
    "$PARDIGITS" watch begun --once --json | grep '"state":"going on'
    "$PARDIGITS" watch begun --every 0.1 >seen2 2>err 3>&- &
    watching=$!
    until [[ -s seen2 ]]; do kill -0 $watching; sleep 0.05; done
    mv begun moved
    wait $watching || [[ $? -eq 1 ]]
    grep "begun isn't there any more: it was moved, renamed or removed" err
    kill -USR1 $training || true # unless it has noticed
    wait $training || true
    # complete, but for the last of its metrics
    rm job/metrics.h5
    fails 1 'job is complete, but has no metrics.h5' "$PARDIGITS" watch job --once
}
