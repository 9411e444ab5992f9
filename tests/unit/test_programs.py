"""`scripts/programs.sh`: what Debian must give is installed, or named with the one command."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "programs.sh"
APT = """#!/bin/sh
echo "apt-get $*" >> {said}
[ "$1" = update ] && exit 0
for program in chromium mosquitto mosquitto_passwd; do
    echo '#!/bin/sh' > {bin}/$program
    chmod +x {bin}/$program
done
"""


class Computer:
    """A computer with nothing but a shell on its path, and an apt that writes down what it did."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.said = folder / "bin", folder / "said"
        self.bin.mkdir()
        self.said.touch()
        for program in ("bash", "chmod", "env"):
            found = shutil.which(program)
            assert found is not None
            (self.bin / program).symlink_to(found)
        self.put("systemctl", f'#!/bin/sh\necho "systemctl $*" >> {self.said}\n')
        self.put("apt-get", APT.format(said=self.said, bin=self.bin))

    def put(self, program: str, text: str = "#!/bin/sh\n") -> None:
        path = self.bin / program
        path.write_text(text, encoding="ascii")
        path.chmod(0o755)

    def run(self, user: int, **env: str) -> "subprocess.CompletedProcess[str]":
        self.put("id", f"#!/bin/sh\necho {user}\n")
        return subprocess.run(
            [self.bin / "bash", SCRIPT], capture_output=True, text=True, check=False,
            env={"PATH": str(self.bin), **env},
        )  # fmt: skip


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


def test_root_gets_what_is_missing_and_no_server_stays_on_the_demos_port(
    computer: Computer,
) -> None:
    done = computer.run(0, CI="true")
    assert done.returncode == 0, done.stderr
    said = computer.said.read_text().splitlines()
    assert said[1].endswith(" chromium fonts-liberation mosquitto")
    assert said[2] == "systemctl disable --now mosquitto"
    assert computer.run(0, CI="true").stderr == ""
    assert computer.said.read_text().splitlines() == said


@pytest.mark.parametrize(("env", "code"), [({}, 0), ({"CI": "true"}, 1)])
def test_others_are_told_the_one_command_and_in_ci_that_is_a_failure(
    computer: Computer, env: dict[str, str], code: int
) -> None:
    done = computer.run(1000, **env)
    assert done.returncode == code
    assert "--no-install-recommends chromium fonts-liberation mosquitto" in done.stderr
    assert computer.said.read_text() == ""


def test_only_what_is_not_there_is_named(computer: Computer) -> None:
    computer.put("chromium")
    told = computer.run(1000).stderr
    assert "Not here: Mosquitto." in told
    assert "chromium" not in told.lower()


def test_a_failing_apt_does_not_pass_for_an_installation(computer: Computer) -> None:
    computer.put("apt-get", "#!/bin/sh\nexit 100\n")
    assert computer.run(0, CI="true").returncode == 1


def test_where_debian_has_the_shell_of_chromium_it_is_taken_as_well(computer: Computer) -> None:
    for program in ("chromium", "mosquitto", "mosquitto_passwd", "apt-cache"):
        computer.put(program)
    assert computer.run(0).returncode == 0
    assert computer.said.read_text().splitlines()[-1].endswith(" chromium-headless-shell")


@pytest.mark.parametrize("lists", ["exit 100", "exit 0"])
def test_without_the_shell_of_chromium_the_tests_run_too(computer: Computer, lists: str) -> None:
    for program in ("chromium", "mosquitto", "mosquitto_passwd"):
        computer.put(program)
    computer.put("apt-cache", f"#!/bin/sh\n{lists}\n")
    computer.put("apt-get", "#!/bin/sh\nexit 100\n")
    assert computer.run(0, CI="true").returncode == 0


def test_nobody_but_root_is_given_a_program(computer: Computer) -> None:
    for program in ("chromium", "mosquitto", "mosquitto_passwd", "apt-cache"):
        computer.put(program)
    assert computer.run(1000, CI="true").returncode == 0
    assert computer.said.read_text() == ""
