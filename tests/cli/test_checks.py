"""The commands replay, why and diff, on a study that really ran; verify has a file of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from automl.cli.app import COMMANDS
from automl.stores.folder import FolderStore
from tests.command_line import BETTER, as_json, automl, edit_json, files_below, refused
from tests.recorded_studies import recorded
from tests.simulation.studies import HYPERBAND_9, study
from tests.small_network import write_small_study


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself_with_an_example(command: str, tmp_path: Path) -> None:
    ran = automl(command, "--help", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert f"Example: automl {command}" in ran.out


@pytest.mark.parametrize("command", ["replay study", "why study 1", "verify study.yaml", "diff study study.yaml"])
def test_json_and_yaml_hold_the_same_data_and_nothing_is_written(command: str, studied: Path) -> None:
    before = files_below(studied)
    found, same, table = (automl(*command.split(), "-o", form, cwd=studied) for form in ("json", "yaml", "table"))
    assert [each.code for each in (found, same, table)] == [0, 0, 0]
    assert yaml.safe_load(same.out) == as_json(found)
    assert "\x1b" not in table.out
    assert table.err == ""
    assert files_below(studied) == before


# -- replay -----------------------------------------------------------------------------------------------------------


def test_a_study_that_ran_replays_the_same(studied: Path) -> None:
    found = as_json(automl("replay", "study", "-o", "json", cwd=studied))
    assert (found["same"], found["difference"]) == (True, None)
    assert found["decisions"] == len(list((studied / "study" / "decisions").rglob("*.json")))
    assert found["software"]["then"] == found["software"]["now"]
    assert {"argo-automl", "numpy", "scikit-optimize"} <= set(found["software"]["now"])


def test_a_changed_decision_is_named_with_both_values_and_both_versions(copy: Path) -> None:
    edit_json(copy / "study" / "decisions/0/0.json", lambda data: data["issued"][1]["values"].update({"train.x": 0.75}))
    # the study was begun with another numpy: what decides is not touched by that
    edit_json(copy / "study" / "automl_metadata.json", lambda data: data["software"].update(numpy="1.0.0"))
    ran = automl("replay", "study", "-o", "json", cwd=copy)
    assert ran.code == 1
    found = as_json(ran)["difference"]
    assert (found["decision"], found["field"], found["stored"]) == (
        "decisions/0/0.json",
        "issued[1].values.train.x",
        0.75,
    )
    table = automl("replay", "study", cwd=copy)
    assert table.code == 1
    assert re.search(r"^software +numpy 1.0.0 then, [\d.]+ now$", table.out, flags=re.MULTILINE)


# -- why --------------------------------------------------------------------------------------------------------------


def test_why_tells_the_story_of_the_best(studied: Path) -> None:
    best = as_json(automl("best", "study", "-o", "json", cwd=studied))["experiment"]
    found = as_json(automl("why", "study", str(best), "-o", "json", cwd=studied))
    assert found["story"][0].startswith("proposed by uniform sampling, which looks at no result")
    assert found["story"][-2].startswith("the best of the search: score")
    text = automl("why", "study", str(best), cwd=studied).out
    for line in found["story"]:
        assert line in text


def test_why_of_no_experiment_is_refused(studied: Path) -> None:
    refused(automl("why", "study", "99", cwd=studied), "there is no experiment 99", "0 to")
    refused(automl("why", "study", "best", cwd=studied), "EXPERIMENT: 'best'", "a whole number from 0")
    refused(automl("why", "nowhere", "1", cwd=studied), "no study lies in")


# -- diff -----------------------------------------------------------------------------------------------------------


def test_diff_names_settings_decisions_and_the_gain(studied: Path, tmp_path: Path) -> None:
    write_small_study(tmp_path, BETTER.replace("seed: 7", "seed: 8"))
    assert automl("run", "study.yaml", "-j", "2", cwd=tmp_path).code == 0
    found = as_json(automl("diff", str(studied / "study"), "study", "-o", "json", cwd=tmp_path))
    settings = {each["setting"]: (each["a"], each["b"]) for each in found["settings"]}
    assert settings.pop("seed") == (7, 8)
    assert set(settings) <= {"network command[1]"}  # the program lies in another folder
    assert found["decisions"]["first_difference"]["decision"] == "decisions/0/0.json"
    assert found["gain"] == pytest.approx(found["b"]["best"]["value"] - found["a"]["best"]["value"])
    text = automl("diff", str(studied / "study"), "study", cwd=tmp_path).out
    assert re.search(r"^seed +7 +8$", text, flags=re.MULTILINE)
    assert "decisions differ after 0: decisions/0/0.json, issued[0].seed" in text


def test_diff_with_itself_finds_nothing(studied: Path) -> None:
    found = as_json(automl("diff", "study", "study.yaml", "-o", "json", cwd=studied))
    assert found["settings"] == []
    assert found["decisions"]["first_difference"] is None
    assert (found["gain"], found["networks"]) == (0, None)


def test_diff_counts_how_much_two_networks_differ_and_lists_it_where_asked(studied: Path, tmp_path: Path) -> None:
    write_small_study(tmp_path, BETTER)
    network = tmp_path / "small.yaml"
    network.write_text(
        network.read_text().replace("name: small\n", "name: other\n").replace("layers: [1, 2]", "layers: [1, 3]")
    )
    assert automl("run", "study.yaml", "-j", "2", cwd=tmp_path).code == 0
    sides = ("diff", str(studied / "study"), "study")
    found = as_json(automl(*sides, "-o", "json", cwd=tmp_path))
    assert {"network name", "network spec.layers[1]"} <= {each["setting"] for each in found["settings"]}
    assert (found["networks"]["a"], found["networks"]["b"]) == ("small", "other")
    count = sum(each["setting"].startswith("network ") for each in found["settings"])
    assert count == found["networks"]["settings"] == sum(found["networks"]["sections"].values())
    text = automl(*sides, cwd=tmp_path).out
    assert f"the networks small and other differ in {count} settings (1 under spec, {count - 1} others)" in text
    assert "network spec" not in text
    text = automl(*sides, "--all", cwd=tmp_path).out
    assert re.search(r"^network name +small +other$", text, flags=re.MULTILINE)
    assert "--all" not in text


# -- a study that is under way ----------------------------------------------------------------------------------------


def test_every_command_answers_while_a_study_is_under_way(tmp_path: Path) -> None:
    recorded(FolderStore(tmp_path / "line"), study(HYPERBAND_9), decisions=2)
    (tmp_path / "line" / "results/0/1.json").unlink(missing_ok=True)
    for command in ("replay line", "verify line", "why line 0", "diff line line", "export line a.csv --to csv"):
        ran = automl(*command.split(), cwd=tmp_path)
        assert (ran.code, ran.err) == (0, ""), command
