"""Every sampler of ours passes the suite of samplers."""

from __future__ import annotations

from automl.search.algorithms import SAMPLERS
from automl.search.samplers.base import Request, Sampler
from automl.search.samplers.differential_evolution import DifferentialEvolution
from automl.search.samplers.evolution import Evolution
from automl.search.samplers.gaussian_process import GaussianProcess
from automl.search.samplers.grid import Grid
from automl.search.samplers.joint import JointProcess
from automl.search.samplers.low_discrepancy import LowDiscrepancy
from automl.search.samplers.neighbours import Neighbours
from automl.search.samplers.nsga2 import NSGA2
from automl.search.samplers.portfolio import Portfolio
from automl.search.samplers.process import OwnProcess
from automl.search.samplers.tree_parzen import TreeParzen
from automl.search.samplers.uniform import Uniform
from automl.testing.sampler_process import proposals
from automl.testing.samplers import SamplerSuite
from automl.testing.spaces import MIXED
from tests.search.toy.near_the_best import NearTheBest


class TestUniform(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return Uniform()


class TestSobol(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return LowDiscrepancy("sobol")


class TestLatinHypercube(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return LowDiscrepancy("lhs")


class TestGrid(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return Grid(points=3)

    def test_a_proposal_depends_on_the_study_seed(self) -> None:
        """It does not: a grid has no chance."""
        proposals = [
            self.make_sampler().propose(MIXED, (), Request(4, first=0, total=20, seed=(seed, 0, 0))) for seed in (1, 2)
        ]
        assert proposals[0] == proposals[1]


class TestGaussianProcess(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return GaussianProcess(starts=2, candidates=300)

    def test_the_model_proposes_what_the_processes_compare(self) -> None:
        reasons = [proposal.reason for proposal in proposals(self.make_sampler())]
        assert ["Gaussian process on" in reason for reason in reasons] == [True] * 3


class TestNSGA2(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return NSGA2(population=4)


class TestProcess(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return OwnProcess(starts=2, candidates=200)

    def test_the_model_proposes_what_the_processes_compare(self) -> None:
        reasons = [proposal.reason for proposal in proposals(self.make_sampler())]
        assert ["Gaussian process on" in reason for reason in reasons] == [True] * 3


class TestJointProcess(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return JointProcess(starts=2, candidates=200, share=1.0)

    def test_the_model_proposes_what_the_processes_compare(self) -> None:
        reasons = [proposal.reason for proposal in proposals(self.make_sampler())]
        assert ["Gaussian process over values and epochs on" in reason for reason in reasons] == [True] * 3


class TestTreeParzen(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return TreeParzen(starts=2)

    def test_the_model_proposes_what_the_processes_compare(self) -> None:
        reasons = [proposal.reason for proposal in proposals(self.make_sampler())]
        assert ["TPE on" in reason for reason in reasons] == [True] * 3


class TestPortfolio(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return Portfolio(process=OwnProcess(starts=2, candidates=200))

    def test_the_model_proposes_what_the_processes_compare(self) -> None:
        reasons = [proposal.reason for proposal in proposals(self.make_sampler())]
        assert ["% of the proposals" in reason for reason in reasons] == [True] * 3


class TestNeighbours(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return Neighbours(starts=2)

    def test_the_model_proposes_what_the_processes_compare(self) -> None:
        reasons = [proposal.reason for proposal in proposals(self.make_sampler())]
        assert ["kernel regression on" in reason for reason in reasons] == [True] * 3


class TestEvolution(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return Evolution()

    def test_the_model_proposes_what_the_processes_compare(self) -> None:
        reasons = [proposal.reason for proposal in proposals(self.make_sampler())]
        assert ["CMA-ES on" in reason for reason in reasons] == [True] * 3


class TestDifferentialEvolution(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return DifferentialEvolution(size=5, drawn=0.0)

    def test_the_model_proposes_what_the_processes_compare(self) -> None:
        reasons = [proposal.reason for proposal in proposals(self.make_sampler())]
        assert ["from a mutant of three of the population" in reason for reason in reasons] == [True] * 3


class TestToy(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return NearTheBest()


def test_every_row_of_the_table_has_a_suite() -> None:
    suites = {
        "uniform": TestUniform,
        "sobol": TestSobol,
        "lhs": TestLatinHypercube,
        "grid": TestGrid,
        "scikit_optimize": TestGaussianProcess,
        "gaussian_process": TestGaussianProcess,
        "process": TestProcess,
        "joint_process": TestJointProcess,
        "tpe": TestTreeParzen,
        "portfolio": TestPortfolio,
        "neighbours": TestNeighbours,
        "nsga2": TestNSGA2,
        "cma_es": TestEvolution,
        "differential_evolution": TestDifferentialEvolution,
    }
    assert suites.keys() == SAMPLERS.keys()
