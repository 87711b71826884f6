"""The same program in the style of Hydra: `lr=0.01 model.depth=4` on the command line, and no library for it."""

import json
import random
import sys

settings = {"lr": 0.001, "epochs": 10, "seed": 0, "model.depth": 1, "shuffle": True, "betas": [0.9, 0.99]}
for override in sys.argv[1:]:
    name, _, text = override.partition("=")
    if name not in settings:
        sys.exit(f"Could not override '{name}'. Key '{name}' is not in struct")
    settings[name] = json.loads(text)

chance = random.Random(settings["seed"])
points = [(x, x > 0.3) for x in (chance.uniform(-1, 1) for _ in range(256))]
weight, bias = [0.0] * settings["model.depth"], 0.0
for epoch in range(1, settings["epochs"] + 1):
    for x, label in points:
        error = (sum(weight) * x + bias > 0) - label
        weight = [part - settings["lr"] * error * x for part in weight]
        bias -= settings["lr"] * error
    right = sum((sum(weight) * x + bias > 0) == label for x, label in points)
    print(f"epoch {epoch} val_acc={right / len(points):.4f}")
with open("model.pt", "w") as file:
    json.dump({"weight": weight, "bias": bias, **settings}, file)
