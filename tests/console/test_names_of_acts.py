"""What the books and the audit log hold is said in words: each action and each basis has a text."""

import re
from pathlib import Path

import coinslot
from coinslot.console.texts import TEXTS

_ROOT = Path(coinslot.__file__).parent
_RECORDED = re.compile(
    r"""\baction="([a-z_.]+)"|\.note\(\s*\w+,\s*"([a-z_.]+)"|\bAct\(\s*"([a-z_.]+)" """, re.VERBOSE
)


def test_every_action_that_is_recorded_has_a_text() -> None:
    source = "\n".join(path.read_text() for path in sorted(_ROOT.rglob("*.py")))
    recorded = {one for found in _RECORDED.findall(source) for one in found if one}
    assert len(recorded) > 50  # the pattern still finds them
    missing = [one for one in sorted(recorded) if f"act_{one.replace('.', '_')}" not in TEXTS]
    assert missing == []


def test_every_basis_that_settles_something_has_a_text() -> None:
    sources = [path for kind in ("*.py", "*.sql") for path in sorted(_ROOT.rglob(kind))]
    source = "\n".join(path.read_text() for path in sources)
    named = set(re.findall(r"""\bbasis["']?\s*[:=]\s*["']([a-z_]+)["']""", source))
    assert {"policy", "never_sent", "command_taken"} <= named
    assert [one for one in sorted(named) if f"basis_{one}" not in TEXTS] == []
