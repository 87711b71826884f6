"""A program as people have it: argparse, a line an epoch, a model at the end. Nothing of it knows about a search."""

import argparse
import json
import random

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.001)
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--shuffle", action=argparse.BooleanOptionalAction, default=True)
args = parser.parse_args()

chance = random.Random(args.seed)
points = [(x, 1.0 if x > 0.3 else 0.0) for x in (chance.uniform(-1, 1) for _ in range(256))]
weight, bias = 0.0, 0.0
for epoch in range(1, args.epochs + 1):
    if args.shuffle:
        chance.shuffle(points)
    for start in range(0, len(points), args.batch_size):
        for x, label in points[start : start + args.batch_size]:
            error = (1.0 if weight * x + bias > 0 else 0.0) - label
            weight, bias = weight - args.lr * error * x, bias - args.lr * error
    right = sum((weight * x + bias > 0) == (label > 0) for x, label in points)
    print(f"epoch {epoch} val_acc={right / len(points):.4f}")
with open("model.pt", "w") as file:
    json.dump({"weight": weight, "bias": bias, "lr": args.lr, "batch_size": args.batch_size}, file)
