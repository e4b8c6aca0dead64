"""Gradient descent as one writes it in NumPy, on arrays that are laid out as it likes them.

usage: peer_numpy.py epoch FILE.npy EPOCHS    prints {"epoch": seconds}
       peer_numpy.py fit FILE.csv             prints {"read": seconds, "fit": seconds}
"""

import json
import sys
import time

import numpy as np


def split(table):
    """Features and target, each in memory of its own."""
    return np.ascontiguousarray(table[:, :-1]), np.ascontiguousarray(table[:, -1])


def step(x, y, w, b, rate):
    error = x @ w
    error += b - y
    scale = 2 / len(y)
    gradient_w, gradient_b = error @ x * scale, error.sum() * scale
    w -= rate * gradient_w
    return b - rate * gradient_b, max(abs(gradient_w).max(), abs(gradient_b))


def epoch(path, epochs):
    x, y = split(np.load(path))
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(3):
        b, _ = step(x, y, w, b, 1e-6)
    began = time.perf_counter()
    for _ in range(epochs):
        b, _ = step(x, y, w, b, 1e-6)
    return {"epoch": (time.perf_counter() - began) / epochs}


def fit(path):
    began = time.perf_counter()
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    read = time.perf_counter()
    x, y = split(table)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    w, b = np.zeros(x.shape[1]), 0.0
    rate = 1 / np.linalg.norm(np.cov(x, rowvar=False), 2) / 2
    size = 1.0
    while size > 1e-9 * y.std():
        b, size = step(x, y, w, b, rate)
    return {"read": read - began, "fit": time.perf_counter() - read}


if __name__ == "__main__":
    result = epoch(sys.argv[2], int(sys.argv[3])) if sys.argv[1] == "epoch" else fit(sys.argv[2])
    print(json.dumps(result))
