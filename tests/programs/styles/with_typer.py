"""A program in the style of typer, whose epochs count from 0."""

import typer


def main(learning_rate: float = 0.01, hidden_size: int = 64, epochs: int = 4, seed: int = 0) -> None:
    weight = 1.0 + seed % 3
    for epoch in range(epochs):
        weight -= learning_rate * weight
        print(f"epoch={epoch} | val/f1={1 / (1 + weight + 1 / hidden_size):.4f} | time=0.1s")


if __name__ == "__main__":
    typer.run(main)
