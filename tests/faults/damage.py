"""Files with one changed bit, or cut short: each is noticed, or has no effect on any result."""
import shutil

from kills import KILL
from runs import Fault, run, sentence_of, succeed

SLOW_S = 5


def flip(rng, path):
    """Changes one bit of a file; returns which."""
    data = bytearray(path.read_bytes())
    bit = rng.randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)
    return f"bit {bit % 8} of byte {bit // 8} of {len(data)}"


def truncate(rng, path):
    """Cuts a file somewhere, often near an end or at a block of a disk; returns where."""
    data = path.read_bytes()
    anywhere = rng.randrange(len(data))
    kept = rng.choice([anywhere, anywhere // 512 * 512, max(0, len(data) - rng.randint(1, 128)), rng.randrange(min(len(data), 2048))])
    path.write_bytes(data[:kept])
    return f"the first {kept} of {len(data)} bytes"


def is_complete(model):
    return model.exists() and '"complete":true' in succeed(["show", model, "--json"])


class Material:
    """Of each family a finished run and one that was killed at work; copies of them are damaged."""

    def __init__(self, families, folder):
        self.families = families
        self.stopped = [(family, self.stop(family, folder / f"stopped-{family.name}")) for family in families]
        self.outputs = {}

    @staticmethod
    def stop(family, folder):
        """A run that was killed late, but before its model was complete; with two checkpoints, if it ever has two."""
        for wanted in "model*.prev.h5", "metrics.h5":
            for percent in range(95, 20, -5):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                faults = {"FILE_FAULTS_FOLDER": folder / "run", "FILE_FAULTS_AT": family.operations * percent // 100, "FILE_FAULTS_DO": KILL}
                run(family.training(folder / "run"), folder, 1, faults)
                if any(folder.glob("run/" + wanted)) and not is_complete(folder / "run/model.h5"):
                    return folder / "run"
        raise Fault(f"no killed run of {family.name} is as wanted")

    def output(self, source, words, scratch):
        """What a command prints about a whole copy of `source`."""
        key = (source, *map(str, words))
        if key not in self.outputs:
            done = run(words, scratch)
            if done.code:
                raise Fault(f"{' '.join(map(str, words))} ends with {done.code}: {done.err[-300:]}")
            self.outputs[key] = done.out
        return self.outputs[key]


def quick(ended):
    if ended.seconds > SLOW_S:
        raise Fault(f"it takes {ended.seconds:.1f} s to notice")
    return ended.seconds


def read_damaged(rng, material, harm, scratch, source):
    """A command reads a damaged copy: it fails in a sentence or prints what it prints of the whole file."""
    copy = scratch / source.name
    words = [rng.choice(["digest", "show"] if source.name == "model.h5" else ["show"]), copy]
    shutil.copy(source, copy)
    whole = material.output(source, words, scratch)
    how = harm(rng, copy)
    try:
        ended = run(words, scratch)
        if ended.code:
            sentence_of(ended)
        elif ended.out != whole:
            raise Fault("the result differs, and nothing is said")
        return quick(ended)
    except Fault as fault:
        raise Fault(f"{words[0]} {source}, {how}: {fault}") from None


def resume_damaged(rng, material, harm, scratch, wanted):
    """A stopped run with a damaged file `wanted` (a pattern) goes on to the same model: always, as whatever else there is of it is whole."""
    family, stopped = rng.choice([(family, folder) for family, folder in material.stopped if any(folder.glob(wanted))])
    run_folder = scratch / "run"
    shutil.copytree(stopped, run_folder)
    path = rng.choice(sorted(run_folder.glob(wanted)))
    how = harm(rng, path)
    try:
        done = family.finish(run_folder, scratch, 1)
        family.check(run_folder, "metrics" not in path.name)
        return quick(done)
    except Fault as fault:
        raise Fault(f"{family.name}, {path.name}, {how}: {fault}") from None


def resume_with_config(rng, material, harm, scratch):
    """A stopped run goes on from its own config.ini, damaged: it is refused, or the model is the same."""
    family, stopped = rng.choice(material.stopped)
    run_folder = scratch / "run"
    shutil.copytree(stopped, run_folder)
    how = harm(rng, run_folder / "config.ini")
    try:
        ended = run(["train", run_folder / "config.ini", "--run", run_folder, "--resume"], scratch)
        if ended.code:
            sentence_of(ended)
        else:
            family.check(run_folder)
        return quick(ended)
    except Fault as fault:
        raise Fault(f"{family.name}, config.ini, {how}: {fault}") from None


def case(rng, material, harm, scratch):
    """Returns the seconds of the command that met the damaged file."""
    kind = rng.choices(["model", "metrics", "dataset", "checkpoint", "previous", "old metrics", "config"], [25, 15, 20, 12, 8, 8, 12])[0]
    family = rng.choice(material.families)
    if kind == "config":
        return resume_with_config(rng, material, harm, scratch)
    if kind in ("checkpoint", "previous", "old metrics"):
        wanted = {"checkpoint": "model*[!v].h5", "previous": "model*.prev.h5", "old metrics": "*metrics.h5"}[kind]
        return resume_damaged(rng, material, harm, scratch, wanted)
    source = family.data if kind == "dataset" else family.whole / f"{kind}.h5"
    return read_damaged(rng, material, harm, scratch, source)
