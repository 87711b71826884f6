"""A program in the style of a trainer of language models: a dictionary a line, epochs in fractions."""

import argparse
import os

parser = argparse.ArgumentParser()
parser.add_argument("--model_name_or_path", default="tiny")
parser.add_argument("--output_dir", required=True)
parser.add_argument("--learning_rate", type=float, default=5e-5)
parser.add_argument("--per_device_train_batch_size", type=int, default=8)
parser.add_argument("--num_train_epochs", type=float, default=3.0)
parser.add_argument("--warmup_ratio", type=float, default=0.0)
parser.add_argument("--overwrite_output_dir", action="store_true")
args = parser.parse_args()
loss = 2.0
for epoch in range(1, int(args.num_train_epochs) + 1):
    loss *= 1 - min(0.9, args.learning_rate * 1000)
    print({"loss": loss + 0.1, "grad_norm": 1.0, "learning_rate": args.learning_rate, "epoch": epoch - 0.5})
    print({"eval_loss": loss, "eval_accuracy": 1 / (1 + loss), "eval_runtime": 0.1, "epoch": float(epoch)})
os.makedirs(args.output_dir, exist_ok=True)
with open(os.path.join(args.output_dir, "model.safetensors"), "w") as file:
    file.write(str(loss))
