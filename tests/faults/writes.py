"""Trainings whose files can't be written, once, for a while or from some moment on."""
import errno

from runs import Fault, run, sentence_of

SHORT_WRITE = 0  # FILE_FAULTS_DO
REASONS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EINTR, errno.ESTALE, SHORT_WRITE]


def faults_of(rng, family, run_folder):
    first, reason = rng.randint(1, family.operations), rng.choice(REASONS)
    last = rng.choice([first, first + rng.randint(1, family.operations), 10**9])
    if reason == errno.EINTR:  # nothing is interrupted for ever
        last = first + 2
    return {"FILE_FAULTS_FOLDER": run_folder, "FILE_FAULTS_AT": first, "FILE_FAULTS_LAST": last, "FILE_FAULTS_DO": reason}


def case(rng, families, scratch):
    """The training ends with its model, or with a sentence; in both cases --resume completes the run. Returns seconds."""
    family, run_folder = rng.choice(families), scratch / "run"
    faults = faults_of(rng, family, run_folder)
    told = " ".join(f"{name.removeprefix('FILE_FAULTS_')}={value}" for name, value in faults.items() if name != "FILE_FAULTS_FOLDER")
    fallback = ["--set", f"run.fallback_dir={scratch / 'fallback'}"] if rng.random() < 0.3 else []
    try:
        ended = run(family.training(run_folder, *fallback), scratch, rng.randint(1, 4), faults)
        if ended.code:
            sentence_of(ended)
        else:
            family.check(run_folder, metrics_too=False)
        family.finish(run_folder, scratch, rng.randint(1, 4))
        family.check(run_folder, metrics_too=ended.code != 0)
    except Fault as fault:
        raise Fault(f"{family.name}, {told}: {fault}") from None
    return ended.seconds
