"""A program that reads its environment and takes no number of epochs: it prints its score at the end."""

import os

rate = float(os.environ.get("LR", "0.1"))
layers = int(os.environ.get("LAYERS", "2"))
print(f"training with {rate} and {layers}")
print(f"test accuracy: {1 - (rate - 0.3) ** 2 - 0.01 * layers:.4f}")
