"""Small trainings of each family: started, killed, compared with an undisturbed one. Used by the other scripts of this folder."""
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

PROGRAM = os.path.abspath(os.environ["PARDIGITS"])
PRELOAD = os.path.abspath(os.path.join(os.environ["BUILD"], "tests/faults/file_faults.so"))
IMAGES = 600
LONGEST_S = 60  # a command that takes longer hangs
SMALL_CNN = ["configs/cnn-fast.ini", "--set", "cnn.checkpoint_s=0", "--set", "cnn.checkpoint_steps=3", "--set", "cnn.shift=1", "--set",
             "cnn.layers=conv:8:5:s2 bn relu conv:16:3 bn relu dense:10"]
FAMILIES = {
    "CNN": SMALL_CNN + ["--set", "cnn.epochs=6"],
    "SVM": ["configs/svm.ini", "--set", "svm.checkpoint_s=0", "--set", "svm.search=grid", "--set", "svm.folds=3",
            "--set", "svm.grid_c=3 10", "--set", "svm.grid_gamma=0.01 0.02"],
    "KNN": ["configs/knn-idm.ini", "--set", "knn.k=auto", "--set", "knn.checkpoint_s=0", "--set", "knn.candidates=30"],
    "ensemble": SMALL_CNN + ["--set", "cnn.epochs=3", "--set", "cnn.members=3"],
}
# What differs between runs that are otherwise equal: times, and where they ran.
NOT_COMPARED = re.compile(r"^(file|seconds|images_per_s|.*_s|ranks|threads|host_names|binding|build|starts|phases)$")


class Fault(Exception):
    """A promise that wasn't kept, in a sentence."""


def make_dataset(folder):
    """A dataset of the first IMAGES test images of MNIST; returns its path."""
    idx = folder / "idx"
    idx.mkdir()
    count = IMAGES.to_bytes(4, "big")
    for kind, header, size in (("images-idx3", b"\0\0\x08\3" + count + b"\0\0\0\x1c" * 2, 784), ("labels-idx1", b"\0\0\x08\1" + count, 1)):
        data = (pathlib.Path(os.environ["MNIST_DIR"]) / f"t10k-{kind}-ubyte").read_bytes()
        (idx / f"train-{kind}-ubyte").write_bytes(header + data[len(header):len(header) + IMAGES * size])
    succeed(["prepare", "--idx", idx, "--out", folder / "set.h5"])
    return folder / "set.h5"


def command(arguments, ranks=1, faults=None):
    """pardigits on so many ranks, with variables of file_faults.c."""
    preload = ["env", "LD_PRELOAD=" + PRELOAD, *(f"{name}={value}" for name, value in faults.items())] if faults else []
    return [*(["mpirun", "-n", str(ranks)] if ranks > 1 else []), *preload, PROGRAM, *map(str, arguments)]


@dataclasses.dataclass
class Ended:
    code: int
    out: str
    err: str
    seconds: float


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def has_ended(pid):
    """Whether nothing is left of a process but its exit code, which its parent hasn't asked for."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def stacks_of(pids):
    """Where processes are, if there is a gdb to tell."""
    told = []
    for pid in pids if shutil.which("gdb") else []:
        words = ["gdb", "-p", str(pid), "-batch", "-ex", "thread apply all backtrace 16"]
        lines = subprocess.run(words, capture_output=True, text=True, timeout=LONGEST_S, check=False).stdout.splitlines()
        told += [f"{name_of(pid)} {pid}"] + [line[:150] for line in lines if line.startswith(("#", "Thread"))]
    return "\n".join(told)


class Running:
    """A command in the background. Its output goes to files, which a rank that outlives mpirun can't hold up."""

    def __init__(self, words, folder):
        self.out, self.err = folder / "out", folder / "err"
        self.begin = time.monotonic()
        with open(self.out, "w") as out, open(self.err, "w") as err:
            self.process = subprocess.Popen(words, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=dict(os.environ, OMP_NUM_THREADS="1"))
        self.ranks = []

    def find_ranks(self):
        """The processes of the program that live now, if mpirun started them already."""
        pids = [self.process.pid, *children(self.process.pid)]
        self.ranks = [pid for pid in pids if name_of(pid) == "pardigits"]
        return self.ranks

    def end(self):
        """Waits for the end. A hang is a fault."""
        try:
            code = self.process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            pids = [*self.find_ranks(), self.process.pid]
            mpirun_alone = self.process.pid not in self.ranks and all(map(has_ended, self.ranks))
            stacks = stacks_of(pids)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            code = self.process.wait()
            if mpirun_alone:  # libpmix 4.2 does this after a rank was killed; to the run it is one more killed mpirun
                print(f"note: mpirun didn't end in {LONGEST_S} s, though all its ranks had", flush=True)
                return self.ended(code)
            raise Fault(f"still running after {LONGEST_S} s: {' '.join(self.process.args)}\n{stacks}") from None
        return self.ended(code)

    def ended(self, code):
        return Ended(code, self.out.read_text(errors="replace"), self.err.read_text(errors="replace"), time.monotonic() - self.begin)

    def wait_for_ranks(self):
        """Until no rank that find_ranks saw lives: they may outlive mpirun."""
        deadline = time.monotonic() + LONGEST_S
        while any(name_of(pid) == "pardigits" for pid in self.ranks):
            if time.monotonic() > deadline:
                for pid in self.ranks:
                    os.kill(pid, signal.SIGKILL)
                raise Fault(f"a rank outlives mpirun by {LONGEST_S} s")
            time.sleep(0.02)


def run(arguments, folder, ranks=1, faults=None):
    return Running(command(arguments, ranks, faults), folder).end()


def succeed(arguments):
    """The output of a command that must succeed."""
    done = subprocess.run(command(arguments), capture_output=True, text=True, timeout=LONGEST_S, check=False)
    if done.returncode:
        raise Fault(f"{' '.join(map(str, arguments))} ends with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


def without_times(value):
    """What `show --json` prints of metrics, without times and without the order of rows."""
    if isinstance(value, dict):
        return {key: without_times(inner) for key, inner in value.items() if not NOT_COMPARED.match(key)}
    if isinstance(value, list):
        return sorted((without_times(inner) for inner in value), key=json.dumps)
    return value


@dataclasses.dataclass
class Family:
    """A family, its undisturbed run, and what that did."""
    name: str
    data: pathlib.Path
    folder: pathlib.Path
    digest: str = ""
    metrics: object = None
    operations: int = 0  # on files, as file_faults.c counts them
    seconds: dict = dataclasses.field(default_factory=dict)  # of an undisturbed run, by ranks

    def training(self, run_folder, *more):
        return ["train", *FAMILIES[self.name], "--data", self.data, "--set", "run.valid=100", "--run", run_folder, "--resume", *more]

    def learn(self):
        """Trains undisturbed, on 1 to 4 ranks: the digests are the same, and times tell when to disturb."""
        for ranks in 4, 3, 2, 1:
            scratch = self.folder / f"undisturbed-{ranks}"
            scratch.mkdir(parents=True)
            counts = scratch / "counts"
            faults = {"FILE_FAULTS_FOLDER": scratch / "run", "FILE_FAULTS_COUNTS": counts}
            done = run(self.training(scratch / "run"), scratch, ranks, faults)
            if done.code:
                raise Fault(f"{self.name} undisturbed on {ranks} ranks ends with {done.code}: {done.err[-500:]}")
            self.seconds[ranks] = done.seconds
            self.operations = max(map(int, counts.read_text().split()))
            if not self.digest:
                self.digest, self.metrics = self.state_of(scratch / "run")
            self.check(scratch / "run")
        self.whole = scratch / "run"

    def state_of(self, run_folder):
        digest = succeed(["digest", run_folder / "model.h5"]).strip()
        return digest, without_times(json.loads(succeed(["show", run_folder / "metrics.h5", "--json"])))

    def check(self, run_folder, metrics_too=True):
        """The run is complete and equal to the undisturbed one, and nothing else lies about."""
        digest, metrics = self.state_of(run_folder)
        if digest != self.digest:
            raise Fault(f"the digest is {digest}, undisturbed {self.digest}")
        if metrics_too and metrics != self.metrics:
            raise Fault(f"metrics differ: {difference(metrics, self.metrics)}")
        left = [name for name in os.listdir(run_folder) if re.search(r"\.tmp$|member|\.old$", name)]
        if left:
            raise Fault(f"left over: {' '.join(left)}")

    def finish(self, run_folder, scratch, ranks, *more):
        """Resumes until the end."""
        done = run(self.training(run_folder, *more), scratch, ranks)
        if done.code:
            raise Fault(f"--resume on {ranks} ranks ends with {done.code}: {done.err[-500:]}")
        return done


def difference(one, other):
    for key in sorted({*one, *other}):
        if one.get(key) != other.get(key):
            return f"{key} is {str(one.get(key))[:300]}, undisturbed {str(other.get(key))[:300]}"
    return "in nothing"


def sentence_of(ended):
    """The error that a command told; a fault if it told none, or ended in another way than by an error."""
    if ended.code not in (1, 2):
        raise Fault(f"ends with {ended.code}: {ended.err[-500:]}")
    told = re.findall(r"^pardigits: .*", ended.err, re.MULTILINE)
    if not told:
        raise Fault(f"ends with {ended.code} without a sentence: {ended.err[-500:]}")
    return told[-1]
