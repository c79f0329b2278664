#!/usr/bin/python3
"""CNN training and prediction by PyTorch. Usage: cnn.py IDX_FOLDER [NET] [THREADS] [EPOCHS] [BATCH] [PRECISION]

NET: small (the network of configs/cnn.ini), lenet, keras or deotte. PRECISION: float32, or bfloat16 for PyTorch's
automatic mixed precision."""

import sys
import time

import mnist
import torch
import torch.nn as nn
import torch.nn.functional as F

arguments = sys.argv[1:] + ["", "small", "2", "1", "128", "float32"][len(sys.argv) - 1 :]
folder, name = arguments[:2]
threads, epochs, batch = map(int, arguments[2:5])
precision = arguments[5]
torch.set_num_threads(threads)
with open("/proc/self/maps") as maps:
    libraries = maps.read()
    if not any(blas in libraries for blas in ("openblas", "mkl", "blis")):
        sys.exit("PyTorch would be slowed by the reference BLAS here: run `make bench-peers PEERS=install`.")


def read(part):
    images, labels = mnist.read(folder, part)
    return torch.from_numpy(images).unsqueeze(1).float() / 255, torch.from_numpy(labels).long()


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


def mixed():
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16")


def predict(model, images):
    model.eval()
    with torch.no_grad(), mixed():
        return torch.cat([model(x).argmax(1) for x in images.split(500)])


images, labels = read("train")
test_images, test_labels = read("t10k")
torch.manual_seed(0)
model = nn.Sequential(*{"small": small, "lenet": lenet, "keras": keras, "deotte": deotte}[name]())
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
for epoch in range(epochs):
    model.train()
    order = torch.randperm(len(images))
    start = time.time()
    for chosen in order.split(batch):
        with mixed():
            loss = F.cross_entropy(model(images[chosen]), labels[chosen])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    seconds = time.time() - start
    predict(model, test_images)  # once to warm up
    start = time.time()
    correct = (predict(model, test_images) == test_labels).sum().item()
    rate = len(test_images) / (time.time() - start)
    print(f"pytorch {name}, batch {batch}, {precision}, epoch {epoch + 1}: {seconds:.2f} s, "
          f"training {len(images) / seconds:.0f} images/s, prediction {rate:.0f} images/s, {correct} correct", flush=True)
