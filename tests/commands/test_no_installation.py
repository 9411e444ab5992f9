"""In a folder without an installation a command says so; it makes none to look into it."""

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from coinslot.commands import build


@pytest.mark.parametrize(
    "words",
    [
        ("keys",), ("cases",), ("merchants",), ("reconcile",), ("mirror", "check"),
        ("machines", "refill", "M01"),
    ],
)  # fmt: skip
def test_nothing_is_made_by_looking(words: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    done = CliRunner().invoke(build(), [*words, "--data", str(folder)], env={"COLUMNS": "300"})
    assert (done.exit_code, "there is no installation in" in done.output) == (1, True)
    assert not folder.exists()


def test_what_a_database_lacks_is_not_asked_of_one_that_is_made_for_the_question(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "nothing"
    asked = ["migrate", "--check", "--data", str(folder)]
    done = CliRunner().invoke(build(), asked, env={"COLUMNS": "300"})
    assert (done.exit_code, "there is no database in" in done.output) == (1, True)
    assert not folder.exists()


def test_the_doctor_calls_nothing_well_where_nothing_is(tmp_path: Path) -> None:
    folder, asked = tmp_path / "nothing", ["doctor", "--data", str(tmp_path / "nothing")]
    done = CliRunner().invoke(build(), asked, env={"COLUMNS": "300"})
    assert (done.exit_code, "sick  database: there is none in" in done.output) == (1, True)
    (folder / "postgres" / "data").mkdir(parents=True)
    done = CliRunner().invoke(build(), asked, env={"COLUMNS": "300"})
    assert (done.exit_code, "stopped" in done.output) == (1, True)


def test_a_demos_mirror_is_named(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    url = "http://127.0.0.1:8001/?ns=coinslot"
    (tmp_path / "demo.json").write_bytes(msgspec.json.encode({"firebase_url": url}))
    for words in (["mirror", "check"], ["doctor"]):
        done = CliRunner().invoke(build(), [*words, "--data", str(tmp_path)])
        assert f"COINSLOT_FIREBASE_URL='{url}'" in done.output.replace("\n", "")


def test_a_demo_on_other_ports_is_looked_for_there(tmp_path: Path) -> None:
    """The doctor looked for the demo of this folder at port 8000, though it ran at 8800."""
    (tmp_path / "demo.json").write_bytes(msgspec.json.encode({"base_url": "http://127.0.0.1:9"}))
    asked = ["doctor", "--data", str(tmp_path)]
    for env, at in (
        ({}, "http://127.0.0.1:9/health"),
        ({"COINSLOT_PORT": "10"}, "http://127.0.0.1:10/health"),
        ({"COINSLOT_PUBLIC_URL": "http://127.0.0.1:11"}, "http://127.0.0.1:11/health"),
    ):
        done = CliRunner().invoke(build(), asked, env={"COLUMNS": "300", **env})
        assert f"nobody answers at {at}" in done.output.replace("\n", "")
