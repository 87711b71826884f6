"""The same program with its settings in environment variables, as containers like them. It reads a file beside it."""

import json
import os
import random

lr, epochs = float(os.environ["LR"]), int(os.environ["EPOCHS"])
with open("points.json") as file:
    count = json.load(file)
chance = random.Random(0)
points = [(x, x > 0.3) for x in (chance.uniform(-1, 1) for _ in range(count))]
weight, bias = 0.0, 0.0
for epoch in range(1, epochs + 1):
    for x, label in points:
        error = (weight * x + bias > 0) - label
        weight, bias = weight - lr * error * x, bias - lr * error
    right = sum((weight * x + bias > 0) == label for x, label in points)
    print(f"epoch {epoch} val_acc={right / len(points):.4f}")
with open("model.pt", "w") as file:
    json.dump({"weight": weight, "bias": bias, "lr": lr, "DEBUG": os.environ.get("DEBUG")}, file)
