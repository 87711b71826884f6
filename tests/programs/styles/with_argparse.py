"""A program in the style of public examples: argparse with defaults in its help, batches and a test set printed."""

import argparse
import os
import random


def main():
    parser = argparse.ArgumentParser(description="A small example")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="input batch size (default: 64)")
    parser.add_argument("--test-batch-size", type=int, default=1000, metavar="N", help="for testing (default: 1000)")
    parser.add_argument("--epochs", type=int, default=14, metavar="N", help="number of epochs (default: 14)")
    parser.add_argument("--lr", type=float, default=1.0, metavar="LR", help="learning rate (default: 1.0)")
    parser.add_argument("--gamma", type=float, default=0.7, metavar="M", help="learning rate decay (default: 0.7)")
    parser.add_argument("--no-accel", action="store_true", help="uses the CPU")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="random seed (default: 1)")
    parser.add_argument("--optimizer", choices=["sgd", "adam"], default="sgd")
    parser.add_argument("--save-dir", default="checkpoints", help="where weights go")
    args = parser.parse_args()
    chance, weight, rate = random.Random(args.seed), 3.0, args.lr
    for epoch in range(1, args.epochs + 1):
        for batch in range(0, 256, args.batch_size):
            weight -= 0.1 * rate * (weight - 1) + 0.01 * chance.uniform(-1, 1)
            print(f"Train Epoch: {epoch} [{batch}/256 ({100.0 * batch / 256:.0f}%)]\tLoss: {(weight - 1) ** 2:.6f}")
        rate *= args.gamma
        right = max(0, min(1000, int(1000 - 100 * abs(weight - 1))))
        print(f"\nTest set: Average loss: {(weight - 1) ** 2:.4f}, Accuracy: {right}/1000 ({right / 10:.0f}%)\n")
    os.makedirs(args.save_dir, exist_ok=True)
    with open(os.path.join(args.save_dir, "mnist_cnn.pt"), "w") as file:
        file.write(str(weight))


if __name__ == "__main__":
    main()
