"""The metrics that a program prints, found in the lines of its log, and the patterns that read them.

A metric is a number after its name: `val_acc=0.91`, `loss: 0.3`, `'eval_loss': 0.5`, `Accuracy: 99/100`. An epoch is
a number after that word: `Epoch 3/10`, `epoch: [3]`. Each gets a pattern of its own, which the reader searches in every
line; what stands in one line belongs together, and a line without an epoch belongs to the one before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automl.networks.status_rule import NUMBER, expanded
from automl.text.terminal_codes import without_codes

_NUMBER = rf"(?P<number>{NUMBER})"
_PAIR = re.compile(
    r"(?P<name>['\"]?(?:[A-Za-z][\w/.@-]*)(?:[ _-](?:[A-Za-z@][\w/.@-]*)){0,2}['\"]?)(?P<sign>\s*[:=]\s*|\s+)"
    rf"{_NUMBER}(?![\w.]*[A-Za-z_])"
)
_EPOCH = re.compile(
    r"(?P<word>['\"]?\b(?:[Ee]poch|EPOCH|[Ee]p)\b['\"]?)(?P<sign>\s*[:=#]?\s*[\[(]?\s*)(?P<number>\d+(?:\.\d+)?)"
)
_NO_METRICS = re.compile(
    r"ep(och)?s?|num_epochs|steps?|iter(ation)?s?|it|batch(es)?|time|sec(ond)?s?|s|ms|eta|min(utes)?|hours?|elapsed|"
    r"learning(_rate)?|lr|rate|samples|seed|fold|gpu|rank|line|port|version|total|size|device|items|param(eter)?s|"
    r"grad_norm|batch_size|speed|throughput|.*_runtime|.*_per_second"
)
_WORD = r"\b"  # before a name
_ESCAPED = re.compile(r"[\\.^$*+?{}\[\]|()]")
_SETTINGS = re.compile(r"^\w*(Namespace|Args|Arguments|Config|config|args|hparams|Hyperparameters?)\b\s*[:=({]")
_LESS = r"loss|err(or)?|rmse|mae|mse|mape|perplexity|ppl|wer|cer|nll|fid|bpc|bpb|logloss|deviance|eer|distance"
_MORE = (
    r"acc(uracy)?\d?|f1|auc|auroc|auprc|roc_auc|m?ap(\d+)?|m?iou|dice|bleu|rouge\w*|precision|recall|r2|score|reward|return|"
    r"top\W?\d|psnr|ssim|kappa|mcc|correct|ndcg|mrr|hits|win_rate|success\w*"
)
_HELD = r"val(id(ation)?)?|eval|test|dev|held_?out|holdout"


@dataclass(frozen=True)
class Found:
    """A metric that was found. `name` is ours; `values` are those of the trial, in order; `line` is where it was seen.

    `status` is the rule of a network file that reads it, `goal` is None where its name does not say, and `epochs` is
    how many the program named.
    """

    name: str
    values: tuple[float, ...]
    line: str
    status: Mapping[str, Any]
    goal: str | None
    epochs: int = 1


def goal(name: str) -> str | None:
    """Whether less or more of a metric of this name is better; None when its name does not say."""
    parts = re.split(r"[\W_]+", name.lower())
    whole = "_".join(parts)
    for pattern, meaning in ((_LESS, "minimize"), (_MORE, "maximize")):
        if any(re.fullmatch(pattern, part) for part in (whole, *parts)):
            return meaning
    if whole.endswith(("loss", "error", "err")):
        return "minimize"
    return "maximize" if whole.endswith(("acc", "accuracy", "score")) else None


def ranked(found: Iterable[Found]) -> list[Found]:
    """Those on data that was not trained on first, then accuracies before losses, then in the order of the log."""

    def rank(metric: Found) -> tuple[bool, bool]:
        parts = re.split(r"[\W_]+", metric.name.lower())
        return (not any(re.fullmatch(_HELD, part) for part in parts), metric.goal != "maximize")

    return sorted(found, key=rank)


def printed(log: str) -> list[Found]:
    """The metrics in a log of one epoch, each once."""
    lines = [without_codes(line.rpartition("\r")[2] or line)[:1000] for line in log.splitlines()]
    lines = [line for line in lines if line.strip() and not _SETTINGS.match(line.strip())]
    epoch = _epoch_pattern(lines)
    epochs = max(1, round(max(epoch[1])) + (min(epoch[1]) == 0)) if epoch is not None else 1
    seen: dict[str, list[tuple[str, str, float]]] = {}
    for line in lines:
        for name, pattern, value in _pairs(line):
            seen.setdefault(name, []).append((line, pattern, value))
    metrics = []
    for name, hits in seen.items():
        if ".py" in name:  # what a logger writes of itself
            continue
        group = re.sub(r"\W+", "_", name).strip("_")
        if not re.match(r"[A-Za-z_]", group):
            continue
        pattern = hits[-1][1].replace("(?P<metric>", f"(?P<{group}>")
        if any(other.endswith((f" {name}", f"/{name}")) for other in seen):  # not the loss of 'val loss'
            pattern = rf"(?<![\w/])(?<![A-Za-z] ){pattern.removeprefix(_WORD)}"
        rule = _rule(lines, epoch, pattern, len(hits))
        values = tuple(value for _, _, value in hits)
        metrics.append(Found(group, values, hits[-1][0].strip(), rule, goal(name), epochs))
    return metrics


def by_name(name: str) -> Found:
    """A metric of which nothing is known but its name: read where a number follows it, on a line of its epoch."""
    group = re.sub(r"\W+", "_", name).strip("_")
    rule = {
        "reader": "regex",
        "patterns": [r"\b[Ee]poch\W{0,4}(?P<epoch>{number})", rf"\b{_literal(name)}\W{{1,4}}(?P<{group}>{{number}})"],
    }
    return Found(group, (), "nothing: it was not tried", rule, goal(name))


def _pairs(line: str) -> Iterator[tuple[str, str, float]]:
    """(name, pattern, value) of each metric in a line. A name is cut where the line before it ends a number."""
    taken = 0
    for match in _PAIR.finditer(line):
        name = match["name"].strip("'\"")
        if match["sign"].isspace():  # 'epoch 3 loss 0.4': only the last words may be the name
            name = name.split()[-1] if not _is_held(name) else name
        name = _without_filler(name)
        begin = match.start("number") - len(match["sign"])
        start = line.rfind(name, taken, begin + 1)
        taken = match.end()
        lowered = re.sub(r"\W+", "_", name.lower())
        if start < 0 or _NO_METRICS.fullmatch(lowered) or _EPOCH.search(line[start : match.end()]):
            continue
        between = line[start + len(name) : match.start("number")]
        yield name, f"{_WORD}{_literal(name + between)}(?P<metric>{{number}})", float(match["number"])


def _without_filler(name: str) -> str:
    words = name.split()
    while len(words) > 1 and words[0].lower() in {
        "set",
        "the",
        "and",
        "is",
        "of",
        "with",
        "for",
        "at",
        "epoch",
        "results",
    }:
        words = words[1:]
    return " ".join(words)


def _is_held(name: str) -> bool:
    return re.match(rf"(?i)({_HELD}|train(ing)?|best|average|avg|mean)\b", name) is not None


def _literal(text: str) -> str:
    """A pattern of the text, with any blanks in the place of its own."""
    return "".join(
        r"\s+" if part.isspace() else _ESCAPED.sub(r"\\\g<0>", part) for part in re.split(r"(\s+)", text) if part
    )


def _epoch_pattern(lines: Sequence[str]) -> tuple[str, list[float]] | None:
    """The pattern of the epoch, and the epochs that it found; None when no line names one."""
    matches = [match for line in lines for match in _EPOCH.finditer(line)]
    if not matches:
        return None
    first = matches[-1]
    word = first["word"]
    pattern = f"{_WORD if word[0].isalpha() else ''}{_literal(word + first['sign'])}(?P<epoch>{{number}})"
    return pattern, [float(match["number"]) for match in matches]


def _rule(lines: Sequence[str], epoch: tuple[str, list[float]] | None, pattern: str, count: int) -> dict[str, Any]:
    """The status rule that reads a metric of a trial of one epoch, which was printed `count` times."""
    rule: dict[str, Any] = {"reader": "regex"}
    if epoch is None:
        return {**rule, "patterns": [pattern], "without_epoch": "counted" if count == 1 else "one"} | (
            {} if count == 1 else {"of_epoch": "last"}
        )
    rule["patterns"] = [epoch[0], pattern]
    if min(epoch[1]) == 0:
        rule["first_epoch"] = 0
    if any(value != int(value) for value in epoch[1]) or "'epoch'" in epoch[0]:
        rule["round_epochs"] = True
        rule.pop("first_epoch", None)
    in_line = [line for line in lines if re.search(expanded(pattern), line)]
    if not any(re.search(expanded(epoch[0]), line) for line in in_line):
        first_metric = lines.index(in_line[0]) if in_line else 0
        if not any(re.search(expanded(epoch[0]), line) for line in lines[:first_metric]):
            rule["without_epoch"] = "next"
    if count > 1:
        rule["of_epoch"] = "last"
    return rule
