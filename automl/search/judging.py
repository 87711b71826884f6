"""The final judgement: whose values are trained again, with which seeds, and who leaves the race after each rung.

Where the values of a training changed on its way, as in a population, the judgement trains the whole schedule again:
each of its rungs is cut where the values may change, and a training goes on behind a cut from its own checkpoint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from automl.problem.metric import Metric
from automl.search.history import Decision, Origin, Outcome, Recommendation, Segment, Stopped
from automl.search.no_winner import no_winner
from automl.search.plan import Plan
from automl.search.population import changes_in_words, lineage, schedule_of, values_at
from automl.search.race import DEFAULTS, Entrant, entrants, halved
from automl.search.ranking import Among, best_outcome, best_outcomes, judged_aim


@dataclass(frozen=True)
class Judge:
    """Decides the final judgement of a plan. The attributes are those of `Brain`."""

    plan: Plan
    metric: Metric
    seed: int
    best_among: Among
    held_out: bool
    seeded: bool

    def decide(self, decision: Decision, earlier: Sequence[Decision]) -> Decision:
        """The decision with what it asks for; `earlier` are those before it, of the whole search for the first one."""
        stage = self.plan.stages[decision.stage]
        if not stage.entrants:
            return self._best_and_defaults(decision, earlier)
        return self._race(decision, earlier) if stage.rungs[decision.index].new else self._gone_on(decision, earlier)

    def _best_and_defaults(self, decision: Decision, earlier: Sequence[Decision]) -> Decision:
        """The best and the defaults, which is one side only where the defaults are the best."""
        best = self.best(decision.consumed).experiment
        recommendations = issued_by(earlier)
        sides = [(Entrant(DEFAULTS, recommendations[DEFAULTS].values), "the defaults")]
        if best != DEFAULTS:
            side = Entrant(best, recommendations[best].values)
            sides.append((side, f"experiment {best}, the best of the search"))
        return replace(decision, issued=self._trained_again(decision, sides))

    def _race(self, decision: Decision, earlier: Sequence[Decision]) -> Decision:
        """A rung of the race: whoever goes on, each with the same new seeds. Nobody when no candidate is left."""
        stage = self.plan.stages[decision.stage]
        stopped: tuple[Stopped, ...] = ()
        if decision.index == 0:
            racing = self._entrants(stage.entrants[0], earlier, decision.consumed)
        else:
            seen = [outcome for before in (*earlier[1:], decision) for outcome in before.consumed]
            everybody = entrants(earlier, {outcome.experiment: outcome for outcome in seen})
            begun = max(index for index in range(decision.index) if stage.rungs[index].new)
            last = {issued.source for issued in earlier[begun].issued}
            in_it = [entrant for entrant in everybody if entrant.source in last]
            aim = judged_aim(earlier[0].consumed, self.metric, self.best_among)
            racing, stopped = halved(in_it, stage.entrants[decision.index], aim)
        issued = self._trained_again(decision, [(entrant, entrant.name) for entrant in racing])
        return replace(decision, issued=issued, stopped=stopped)

    def _gone_on(self, decision: Decision, earlier: Sequence[Decision]) -> Decision:
        """The same trainings with the next values of their schedules; one that has failed does not go on."""
        rung, before = self.plan.stages[decision.stage].rungs[decision.index], issued_by(earlier)

        def next_part(one: Recommendation, epochs: int) -> Recommendation:
            values = one.values if one.schedule is None else values_at(one.schedule, rung.epochs)
            return replace(
                one,
                values=values,
                epochs=rung.epochs,
                resume_epoch=epochs,
                held_out=self.held_out and rung.epochs == one.schedule_epochs,
                reason=f"goes on as its schedule says: {changes_in_words(one.values, values)}",
            )

        succeeded = [outcome for outcome in decision.consumed if outcome.value is not None]
        issued = (next_part(before[outcome.experiment], outcome.epochs) for outcome in succeeded)
        return replace(decision, issued=tuple(issued))

    def _entrants(self, most: int, earlier: Sequence[Decision], outcomes: Sequence[Outcome]) -> tuple[Entrant, ...]:
        """The defaults and the best candidates whose values differ; nobody when there is no such candidate."""
        self.best(outcomes)
        recommendations = issued_by(earlier)
        racing = [Entrant(DEFAULTS, recommendations[DEFAULTS].values)]
        for outcome in best_outcomes(outcomes, self.metric, self.best_among):
            values, schedule = recommendations[outcome.experiment].values, self._schedule(outcome, earlier)
            if schedule is not None:
                values = schedule[-1].values
            candidate = Entrant(outcome.experiment, values, schedule=schedule)
            tried = [(entrant.values, entrant.schedule) for entrant in racing]
            if len(racing) < most and (candidate.values, candidate.schedule) not in tried:
                racing.append(candidate)
        return tuple(racing) if len(racing) > 1 else ()

    def _schedule(self, outcome: Outcome, earlier: Sequence[Decision]) -> tuple[Segment, ...] | None:
        """The values by epochs of the training that has this outcome; None where they never changed."""
        stages = {stage.index for stage in self.plan.search if stage.population}
        decisions = [decision for decision in earlier if decision.stage in stages]
        if not decisions:
            return None
        schedule = schedule_of(lineage(decisions, outcome.experiment, outcome.rung))
        return schedule if len(schedule) > 1 else None

    def _trained_again(self, decision: Decision, racing: Sequence[tuple[Entrant, str]]) -> tuple[Recommendation, ...]:
        """The trainings of a rung of the judgement, for entrants with their names. All entrants have the same seeds."""
        stage = self.plan.stages[decision.stage]
        first, epochs = stage.first_of(decision.index), stage.rungs[decision.index].epochs
        count, longest = stage.repeats(decision.index), stage.longest_from(decision.index)
        again = "trained again with a fresh seed" if self.seeded else "trained again"
        return tuple(
            Recommendation(
                number=first + place * count + repeat,
                values=entrant.values if entrant.schedule is None else values_at(entrant.schedule, epochs),
                epochs=epochs,
                schedule_epochs=longest,
                seed=training_seed(self.seed, first + repeat),
                reason=f"{name}, {again}",
                held_out=self.held_out and epochs == longest,
                origin=Origin.FINAL,
                source=entrant.source if stage.entrants else None,
                schedule=entrant.schedule,
            )
            for place, (entrant, name) in enumerate(racing)
            for repeat in range(count)
        )

    def best(self, outcomes: Sequence[Outcome]) -> Outcome:
        """The best outcome of a search. Raises StudyFailed when nothing in it succeeded."""
        best = best_outcome(outcomes, self.metric, self.best_among)
        if best is None:
            raise no_winner(outcomes, self.metric)
        return best


def issued_by(earlier: Sequence[Decision]) -> dict[int, Recommendation]:
    """The latest recommendation of each experiment, by number."""
    return {issued.number: issued for decision in earlier for issued in decision.issued}


def training_seed(study_seed: int, number: int) -> int:
    """The seed that experiment `number` trains with, below 2^31: the first bits of a sha256."""
    digest = hashlib.sha256(f"training seed {study_seed} {number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
