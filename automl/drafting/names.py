"""What a setting is, by its name: the epochs, the seed, where it writes, a secret, or something that is searched.

`learning-rate`, `learning_rate`, `optim.learningRate` and `LEARNING_RATE` are one name here.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePosixPath


class Role(StrEnum):
    """What the search itself has to do with a setting."""

    EPOCHS = "epochs"
    SEED = "seed"
    RESULTS = "results"
    CHECKPOINT = "checkpoint"
    SECRET = "secret"  # noqa: S105 - a kind, not one
    FIXED = "fixed"


_ROLES = {  # the first that fits
    Role.SECRET: r"(.*_)?(api_?key|secret(_key|_access_key)?|token|password|passwd|credentials?|access_key(_id)?)",
    Role.EPOCHS: r"(num_|n_|max_|total_|number_of_|train_|num_train_|nb_)?epochs?|epochs?_num|(n|max)epochs",
    Role.SEED: r"(random_|manual_|rng_|global_|pl_|np_|torch_)?seed|random_state|seed_everything",
    Role.CHECKPOINT: r"resume(_from)?(_checkpoint|_path)?|(ckpt|checkpoint)_path|"
    r"(load|init|restore)_(from_)?(checkpoint|ckpt)",
    Role.RESULTS: r"(output|out|results?|save|work|model|checkpoints?|ckpt|run|exp|experiment|default_root|log(ging)?)"
    r"_?(dir|directory|folder|path|root)|output|out|results|outdir|logdir|workdir|savedir",
    Role.FIXED: r".*workers|(num_)?threads|.*_interval|.*_every|.*_freq(uency)?|.*_steps?_per_.*|"
    r".*port|rank|local_rank|world_size|.*gpus?|.*devices?|gpu_ids?|nodes|num_nodes|nproc.*|patience|.*_patience|"
    r"verbose|verbosity|log_level|limit.*|max_(train|eval|test|val)_.*|subset.*|n_samples|num_samples|num_classes|"
    r"n_classes|classes|image_size|img_size|input_size|in_channels|vocab_size|max_(seq_)?len(gth)?|seq_len(gth)?|"
    r"test_batch_size|(eval|val|valid|validation|test|per_device_eval|predict)_batch_size|prefetch.*|timeout|"
    r"version|fold|folds|num_folds|split|.*_split|test_size|val_size|keep_.*|save_.*|print_.*|eval_.*|log_.*|start_epoch|"
    r"job_id|run_id|id|precision|backend|mode|device|accelerator|dataset|data|.*_dir|.*_path|.*_file|path|file|config|"
    r"task|task_name|metric|monitor|strategy|num_proc|nproc|((max|num|n)_)?steps|iterations|total_timesteps|"
    r"(max|n|num)_iter(s|ations)?",
}
_FOLDERS_ONLY = frozenset({Role.RESULTS})


def plain(name: str) -> str:
    """The last part of a name, in small letters with '_' between its words."""
    last = re.split(r"[./]", name)[-1] or name
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last).replace("-", "_").lower()


def role(name: str, text: str = "") -> Role | None:
    """The role of a setting with this value; None for one that may be searched."""
    for known, pattern in _ROLES.items():
        if re.fullmatch(pattern, plain(name)) and _may_be(known, text):
            return known
    return None


def _may_be(known: Role, text: str) -> bool:
    if known in {Role.EPOCHS, Role.SEED} and text:
        return re.fullmatch(r"\d+", text) is not None
    if known in _FOLDERS_ONLY:  # model.pt is a file
        return not PurePosixPath(text).suffix or text.endswith("/")
    return True
