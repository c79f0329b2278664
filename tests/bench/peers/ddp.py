#!/usr/bin/python3
"""Training by PyTorch's DistributedDataParallel over gloo, one thread a process. Usage: ddp.py IDX_FOLDER NET STEPS [BATCH]

NET: cnn (the network of configs/cnn.ini), lenet, keras or deotte. BATCH is the global one (128), of which each process takes its
share; STEPS are timed, after 10 that are not. Start one process a host with RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT
and GLOO_SOCKET_IFNAME in the environment, as torch.distributed reads them. Every process prints one line: its rank, images/s of all,
bytes that it sent and received a step through that interface."""

import os
import sys
import time

import mnist
import networks
import torch
import torch.distributed as dist
import torch.nn.functional as F

WARM_UP = 10


def interface_bytes(name):
    """Bytes sent and received so far."""
    with open("/proc/net/dev") as devices:
        for line in devices:
            device, _, counts = line.partition(":")
            if device.strip() == name:
                counts = counts.split()
                return int(counts[8]), int(counts[0])
    sys.exit(f"ddp.py: there is no network interface {name}")


def main():
    folder, name, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    batch = int(sys.argv[4]) if len(sys.argv) > 4 else 128
    interface = os.environ["GLOO_SOCKET_IFNAME"]
    torch.set_num_threads(1)
    networks.require_fast_blas()
    dist.init_process_group("gloo")
    rank, world = dist.get_rank(), dist.get_world_size()
    images, labels = mnist.read(folder, "train")
    images = torch.from_numpy(images).unsqueeze(1).float() / 255
    labels = torch.from_numpy(labels).long()
    torch.manual_seed(0)
    model = torch.nn.parallel.DistributedDataParallel(networks.build(name), gradient_as_bucket_view=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(5))
    batches, share = len(images) // batch, batch // world
    model.train()
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            dist.barrier()
            start, sent_before = time.time(), interface_bytes(interface)
        first = step % batches * batch + rank * share
        chosen = order[first : first + share]
        loss = F.cross_entropy(model(images[chosen]), labels[chosen])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    seconds = time.time() - start
    sent, received = (after - before for after, before in zip(interface_bytes(interface), sent_before))
    if not loss.isfinite():
        sys.exit("ddp.py: the loss isn't finite")
    # in one write: the other hosts' processes write to the same pipe
    os.write(1, f"rank {rank} images/s {steps * batch / seconds:.1f} sent {sent / steps:.0f} received {received / steps:.0f}\n".encode())
    dist.barrier()


main()
