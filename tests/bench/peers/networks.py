"""The networks of configs/cnn.ini, lenet.ini, keras.ini and deotte.ini in PyTorch."""

import torch.nn as nn


def block(channels_in, channels, size, stride=1, padding=0):
    return [nn.Conv2d(channels_in, channels, size, stride, padding), nn.BatchNorm2d(channels), nn.ReLU()]


def small():
    return [*block(1, 16, 3), *block(16, 16, 3), nn.MaxPool2d(2), *block(16, 32, 3), *block(32, 32, 3), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(512, 10)]


def lenet():
    return [nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.ReLU(),
            nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10)]


def keras():
    return [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
            nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)]


def deotte():
    return [*block(1, 32, 3), *block(32, 32, 3), *block(32, 32, 5, 2, 2), nn.Dropout(0.4),
            *block(32, 64, 3), *block(64, 64, 3), *block(64, 64, 5, 2, 2), nn.Dropout(0.4),
            nn.Flatten(), nn.Linear(1024, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.4), nn.Linear(128, 10)]


NETWORKS = {"cnn": small, "small": small, "lenet": lenet, "keras": keras, "deotte": deotte}


def build(name):
    return nn.Sequential(*NETWORKS[name]())


def require_fast_blas():
    """Ends the program where PyTorch would multiply matrices with the slow reference BLAS."""
    with open("/proc/self/maps") as maps:
        libraries = maps.read()
    if not any(blas in libraries for blas in ("openblas", "mkl", "blis")):
        raise SystemExit("PyTorch would be slowed by the reference BLAS here: run `make bench-peers PEERS=install`.")
