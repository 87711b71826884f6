"""Training programs that really train. Each keeps the contract of automl/training.py and runs without the rest.

    python -m automl.trainers.fashion_mnist --spec SPEC.yaml --results DIR

The programs stand at the top, one a file: what a program says of itself, and nothing that is slow to import. The rest:

program.py    a program's outside: command line, the check of the spec, status lines at both ends, exit codes
failures.py   how a training fails, beside a wrong spec
settings/     what a train spec may hold: sections as dataclasses, which check themselves and describe themselves
tasks/        what is trained: a network, a loss, a judgement, and data in parts; base.py says how a task is added
loop/         from the first epoch to the last: checkpoints, learning rates, update rules, the machine
pictures/     where pictures and their labels come from: a user's files, or made here of the packaged ones
data/         packaged pictures, and their licences

The default example, fashion_mnist, needs torch alone and starts quickly, so it has a loop of its own,
`loop/fashion_mnist.py`. All others train by Lightning, with the libraries of the extra `trainers`.
"""
