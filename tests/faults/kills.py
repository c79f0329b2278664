"""Trainings that are killed, resumed on other numbers of ranks, and may be killed again."""
import os
import signal
import time

from runs import Fault, Running, command

KILL = -1  # FILE_FAULTS_DO


def kill_at_a_moment(rng, family, run_folder, scratch):
    """Kills one rank, all of them, or mpirun."""
    ranks = rng.randint(1, 4)
    running = Running(command(family.training(run_folder), ranks), scratch)
    time.sleep(rng.uniform(0, 0.95 * family.seconds[ranks]))
    victims = running.find_ranks() or [running.process.pid]
    if ranks > 1:
        victims = rng.choice([[rng.choice(victims)], [rng.choice(victims)], victims, [running.process.pid]])
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it was faster
    ended = running.end()
    running.wait_for_ranks()
    return ended


def kill_at_a_file(rng, family, run_folder, scratch):
    """A rank is killed at a certain operation on the run's files."""
    faults = {"FILE_FAULTS_FOLDER": run_folder, "FILE_FAULTS_AT": rng.randint(1, family.operations), "FILE_FAULTS_DO": KILL}
    return Running(command(family.training(run_folder), rng.randint(1, 4), faults), scratch).end()


def kill(rng, family, run_folder, scratch):
    """Starts or resumes the run. False if it came to its end before it could be killed."""
    way = rng.choice([kill_at_a_moment, kill_at_a_file])
    return way(rng, family, run_folder, scratch).code != 0


def case(rng, family, scratch):
    """Returns how often the run was killed; 0 is no case."""
    run_folder = scratch / "run"
    kills = int(kill(rng, family, run_folder, scratch))
    while kills and rng.random() < 0.3 and kill(rng, family, run_folder, scratch):
        kills += 1
    if kills:
        try:
            family.finish(run_folder, scratch, rng.randint(1, 4))
            family.check(run_folder)
        except Fault as fault:
            raise Fault(f"after {kills} kills {fault}") from None
    return kills
