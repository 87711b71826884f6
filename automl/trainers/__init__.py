"""Training programs that really train. Each keeps the contract of automl/training.py and runs without the rest.

    python -m automl.trainers.fashion_mnist --spec SPEC.yaml --results DIR

fashion_mnist.py             the program: command line, status lines, exit codes
fashion_mnist_settings.py    what its train spec may hold
fashion_mnist_loop.py        from the first epoch to the last: trains, saves, reports
convnet.py                   the network, its pictures, and one epoch
update_rules.py              SGD and AdamW, without what makes torch.optim slow to start
learning_rates.py            schedules of the learning rate
checkpoints.py               what a checkpoint holds, and going on from one
data/                        the pictures, and their licence
"""
