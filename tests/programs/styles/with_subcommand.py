"""A program in the style of Lightning's CLI: dotted flags, a table in a folder of a version."""

import os
import sys

assert sys.argv[1] == "fit"
values = dict(
    word[2:].split("=", 1) if "=" in word else (word[2:], following)
    for word, following in zip(sys.argv[2:], [*sys.argv[3:], ""], strict=True)
    if word.startswith("--")
)
epochs, rate = int(values.get("trainer.max_epochs", 2)), float(values.get("model.lr", 0.01))
os.makedirs("lightning_logs/version_0/checkpoints", exist_ok=True)
weight = 1.0
with open("lightning_logs/version_0/metrics.csv", "w") as file:
    file.write("epoch,step,train_loss,val_acc\n")
    for epoch in range(epochs):
        weight *= 1 - rate
        file.write(f"{epoch},{epoch * 10 + 9},,{1 - weight / 2}\n{epoch},{epoch * 10 + 9},{weight},\n")
with open(f"lightning_logs/version_0/checkpoints/epoch={epochs - 1}-step={epochs * 10}.ckpt", "w") as file:
    file.write(str(weight))
