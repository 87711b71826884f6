"""A program in the style of Hydra: key=value words over a tree of settings, a logger's lines."""

import sys

settings = {"optimizer": {"lr": 0.01, "weight_decay": 0.0}, "trainer": {"max_epochs": 3}, "seed": 0, "data": "small"}
for word in sys.argv[1:]:
    path, value = word.split("=", 1)
    *parents, last = path.split(".")
    place = settings
    for parent in parents:
        place = place[parent]
    place[last] = type(place[last])(value)
weight = 2.0 + settings["seed"] % 2
for epoch in range(settings["trainer"]["max_epochs"]):
    weight -= settings["optimizer"]["lr"] * weight + settings["optimizer"]["weight_decay"]
    print(f"[2026-01-01 10:00:0{epoch % 10},123][__main__][INFO] - Epoch [{epoch + 1}] loss={weight:.4f}")
with open("last.ckpt", "w") as file:
    file.write(str(weight))
