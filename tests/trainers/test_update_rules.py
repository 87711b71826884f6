"""Our update rules and schedules against torch's own (whose first optimizer takes 4 s: see update_rules.py)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler

from automl.trainers.loop.learning_rates import SCHEDULES
from automl.trainers.loop.update_rules import SGD, AdamW, UpdateRule

STEPS = 20


def trained(make_step: Callable[[nn.Module], Callable[[int], None]]) -> list[Tensor]:
    """The parameters of a small network after STEPS steps; `make_step` gives what updates them."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    inputs, targets = torch.randn(STEPS, 16, 4), torch.randint(0, 3, (STEPS, 16))
    step = make_step(network)
    for number in range(STEPS):
        network.zero_grad()
        loss = nn.functional.cross_entropy(network(inputs[number]), targets[number])
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        step(number)
    return [parameter.detach() for parameter in network.parameters()]


def by_torch(make: Callable[[nn.Module], torch.optim.Optimizer]) -> list[Tensor]:
    def make_step(network: nn.Module) -> Callable[[int], None]:
        optimizer = make(network)
        schedule = lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=STEPS, cycle_momentum=False)

        def step(_number: int) -> None:
            optimizer.step()
            schedule.step()

        return step

    return trained(make_step)


def by_us(make: Callable[[nn.Module], UpdateRule]) -> list[Tensor]:
    def make_step(network: nn.Module) -> Callable[[int], None]:
        rule = make(network)
        return lambda number: rule.step(SCHEDULES["one-cycle"](0.05, number, STEPS))

    return trained(make_step)


def test_sgd_under_one_cycle_is_torchs_to_the_bit() -> None:
    theirs = by_torch(lambda network: torch.optim.SGD(network.parameters(), momentum=0.7, weight_decay=0.01))
    ours = by_us(lambda network: SGD(network.parameters(), momentum=0.7, weight_decay=0.01))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_adamw_under_one_cycle_is_torchs_to_the_bit() -> None:
    theirs = by_torch(lambda network: torch.optim.AdamW(network.parameters(), weight_decay=0.1))
    ours = by_us(lambda network: AdamW(network.parameters(), weight_decay=0.1))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_the_state_of_another_network_is_refused() -> None:
    state = SGD(nn.Linear(4, 3).parameters(), momentum=0.9, weight_decay=0).state()
    with pytest.raises(RuntimeError):
        SGD(nn.Linear(5, 3).parameters(), momentum=0.9, weight_decay=0).restore(state)
    with pytest.raises(RuntimeError, match="2 tensors for 1 parameters"):
        SGD(nn.Linear(4, 3, bias=False).parameters(), momentum=0.9, weight_decay=0).restore(state)


@pytest.mark.parametrize(
    ("name", "first", "middle", "last"),
    [("none", 1.0, 1.0, 1.0), ("cosine", 1.0, 0.5, 0.00025), ("one-cycle", 0.04, 0.794, 0.000004)],
)
def test_schedules_go_where_they_should(name: str, first: float, middle: float, last: float) -> None:
    rates = [SCHEDULES[name](1.0, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(first)
    assert rates[50] == pytest.approx(middle, abs=0.001)
    assert rates[99] == pytest.approx(last, rel=0.05)
