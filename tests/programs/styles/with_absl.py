"""A program in the style of absl: flags with '=', results in a table of its working folder."""

import os

from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_float("learning_rate", 0.001, "The rate.")
flags.DEFINE_integer("batch_size", 32, "Examples of a step.")
flags.DEFINE_integer("num_epochs", 3, "How long.")
flags.DEFINE_string("workdir", "/tmp/absl", "Where results go.")
flags.DEFINE_bool("half_precision", False, "Whether to use it.")


def main(_):
    os.makedirs(FLAGS.workdir, exist_ok=True)
    weight = 1.0
    with open(os.path.join(FLAGS.workdir, "metrics.csv"), "w") as file:
        file.write("epoch,train_loss,eval_accuracy\n")
        for epoch in range(FLAGS.num_epochs):
            weight *= 1 - FLAGS.learning_rate * 32 / FLAGS.batch_size
            file.write(f"{epoch},{weight},{1 - weight / 2}\n")
    with open(os.path.join(FLAGS.workdir, "weights.npz"), "w") as file:
        file.write(str(weight))


if __name__ == "__main__":
    app.run(main)
