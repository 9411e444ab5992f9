"""In which order a run begins the files of tests."""

from tests.conftest import LONG, places_of

FILES = [
    *(f"browser/test_{n}.py" for n in range(3)), *(f"sales/test_{n}.py" for n in range(10)),
    *(f"channels/test_{n}.py" for n in range(5)), "storms/test_short_storm.py",
    *(f"scenarios/test_{n}.py" for n in range(5)), "test_tidy.py",
]  # fmt: skip


def begun() -> list[str]:
    places = places_of(FILES)
    return sorted(FILES, key=lambda file: places[file])


def test_files_that_last_long_are_begun_first_and_those_of_the_browser_together() -> None:
    assert begun()[:4] == [*FILES[:3], "storms/test_short_storm.py"]
    assert LONG[:2] == ("browser", "storms")


def test_files_of_a_folder_are_spread_over_the_run_in_their_own_order() -> None:
    for folder, least in (("sales/", 8), ("channels/", 8), ("scenarios/", 5)):
        of_folder = [n for n, file in enumerate(begun()) if file.startswith(folder)]
        assert of_folder[-1] - of_folder[0] >= least
        names = [file for file in begun() if file.startswith(folder)]
        assert names == sorted(names)


def test_longer_files_are_all_begun_before_the_others_are() -> None:
    order = begun()
    last = max(n for n, file in enumerate(order) if file.startswith("scenarios/"))
    assert sum(file.startswith("sales/") for file in order[last:]) >= 3


def test_each_file_has_a_place() -> None:
    assert sorted(begun()) == sorted(FILES)
