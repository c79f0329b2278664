#!/usr/bin/python3
"""CNN training and prediction by PyTorch. Usage: cnn.py IDX_FOLDER [NET] [THREADS] [EPOCHS] [BATCH] [PRECISION]

NET: small (the network of configs/cnn.ini), lenet, keras or deotte. PRECISION: float32, or bfloat16 for PyTorch's
automatic mixed precision."""

import sys
import time

import mnist
import networks
import torch
import torch.nn.functional as F

arguments = sys.argv[1:] + ["", "small", "2", "1", "128", "float32"][len(sys.argv) - 1 :]
folder, name = arguments[:2]
threads, epochs, batch = map(int, arguments[2:5])
precision = arguments[5]
torch.set_num_threads(threads)
networks.require_fast_blas()


def read(part):
    images, labels = mnist.read(folder, part)
    return torch.from_numpy(images).unsqueeze(1).float() / 255, torch.from_numpy(labels).long()


def mixed():
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16")


def predict(model, images):
    model.eval()
    with torch.no_grad(), mixed():
        return torch.cat([model(x).argmax(1) for x in images.split(500)])


images, labels = read("train")
test_images, test_labels = read("t10k")
torch.manual_seed(0)
model = networks.build(name)
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
