"""A program in the style of click: the epoch on one line, the metrics below it."""

import click


@click.command()
@click.option("--lr", default=0.01, show_default=True, help="Learning rate.")
@click.option("--dropout", default=0.1, show_default=True)
@click.option("--activation", type=click.Choice(["relu", "gelu"]), default="relu")
@click.option("--n-epochs", default=5, show_default=True)
@click.option("--out", "out", type=click.Path(), default="model.ckpt")
def main(lr, dropout, activation, n_epochs, out):
    weight = 2.0
    for epoch in range(n_epochs):
        weight -= lr * weight * (1 - dropout) * (1.1 if activation == "gelu" else 1.0)
        click.echo(f"Epoch {epoch + 1}/{n_epochs}")
        click.echo(f"  train_loss: {weight:.4f}  val_loss: {weight + 0.1:.4f}")
    with open(out, "w") as file:
        file.write(str(weight))


if __name__ == "__main__":
    main()
