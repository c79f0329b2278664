#!/usr/bin/python3
"""KNN by FAISS (flat index) and scikit-learn (brute force). Usage: knn.py IDX_FOLDER|DATASET.h5 [THREADS] [faiss]

With "faiss" that alone is timed."""

import sys
import time

import faiss
import mnist
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

folder = sys.argv[1]
threads = int(sys.argv[2]) if len(sys.argv) > 2 else 2


def floats(images):
    return images.reshape(len(images), -1).astype(np.float32) / 255


train_images, train_labels = mnist.read(folder, "train")
test_images, test_labels = mnist.read(folder, "t10k")
test_images = floats(test_images)

faiss.omp_set_num_threads(threads)
index = faiss.IndexFlatL2(test_images.shape[1])
for first in range(0, len(train_images), 100000):
    index.add(floats(train_images[first : first + 100000]))
start = time.time()
_, neighbours = index.search(test_images, 5)
print(f"faiss flat, k=5: {time.time() - start:.2f} s", flush=True)
for k in (1, 3, 5):
    votes = [np.bincount(train_labels[row[:k]], minlength=10).argmax() for row in neighbours]
    print(f"  k={k}: {(np.array(votes) == test_labels).sum()} of {len(test_labels)} correct")

if "faiss" in sys.argv[3:]:
    sys.exit()
train_images = floats(train_images)
classifier = KNeighborsClassifier(3, algorithm="brute", n_jobs=threads).fit(train_images, train_labels)
start = time.time()
predicted = classifier.predict(test_images)
print(f"scikit-learn brute force, k=3: {time.time() - start:.2f} s, {(predicted == test_labels).sum()} correct")
