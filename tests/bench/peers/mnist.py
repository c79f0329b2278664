"""MNIST's four plain IDX files, or a dataset of pardigits (FILE.h5), as numpy arrays."""

import numpy as np


def read(folder, name):
    """name: train or t10k. Returns images [n, 28, 28] u8 and labels [n] u8."""
    if folder.endswith(".h5"):
        import h5py

        with h5py.File(folder) as file:
            group = file["test" if name == "t10k" else name]
            return group["images"][:], group["labels"][:]
    images = np.fromfile(f"{folder}/{name}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28)
    labels = np.fromfile(f"{folder}/{name}-labels-idx1-ubyte", np.uint8)[8:]
    return images, labels
