"""Configurations in the worlds that they must survive, and weaker rules that must fail in them."""

from dataclasses import dataclass, replace

from .configs import (
    BACK,
    BOTH,
    DAMAGED,
    EARLY,
    HALF,
    OTHER,
    TURNED_AWAY,
    WHILE_OPEN,
    ConfigRules,
)
from .search import FLAGGED, STUCK


@dataclass(frozen=True, slots=True)
class ConfigVariant:
    """Rules, and what a search must find: "" for nothing, else the violation met first."""

    name: str
    rules: ConfigRules
    expected: str = ""
    flagged: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.name


_both = frozenset({BOTH + FLAGGED})
ONE_EDIT = ConfigRules(edits=1)
NO_CUT = ConfigRules(cuts=0)
QUIET = ConfigRules(edits=1, cuts=0)
RESTORED = ConfigRules(cuts=0, orders=0, restores=1)
OLD = ConfigRules(edits=1, cuts=0, speaks=False)

CONFIG_HOLDS = [
    ConfigVariant("configurations: one edit, a power cut", ONE_EDIT, "", _both),
    ConfigVariant("configurations: two edits", NO_CUT),
    ConfigVariant("a machine that knows no configurations", OLD),
    ConfigVariant("a restored database", RESTORED),
]

CONFIG_DEEPER = [
    ConfigVariant("configurations: two edits, a power cut", ConfigRules(), "", _both),
    ConfigVariant("configurations: two units", ConfigRules(edits=1, orders=2, cuts=0)),
    ConfigVariant("configurations: three edits", ConfigRules(edits=3, cuts=0)),
    ConfigVariant("a restored database, and a unit", replace(RESTORED, orders=1)),
]

# Too large to search whole: walked by chance.
CONFIG_LARGE = ConfigRules(edits=4, orders=4, offers=2, cuts=2)

CONFIG_WEAKER = [
    ConfigVariant("sent while units are owed", replace(QUIET, holds_back=False), TURNED_AWAY),
    ConfigVariant("pages sell what is saved", replace(QUIET, sells_what_is_applied=False), EARLY),
    ConfigVariant("sent counts as applied", replace(QUIET, applied_when_said=False), EARLY),
    ConfigVariant(
        "OFFER says the versions of now", replace(QUIET, offers_the_snapshot=False), OTHER
    ),
    ConfigVariant("sent once", replace(ONE_EDIT, orders=0, sends_again=False), STUCK),
    ConfigVariant(
        "a text is not compared with its hash", replace(QUIET, checks_the_hash=False), DAMAGED
    ),
    ConfigVariant("an older one that comes late is taken", replace(NO_CUT, only_newer=False), BACK),
    ConfigVariant("applied in two records", replace(ONE_EDIT, whole=False), HALF),
    ConfigVariant("applied while a unit is open", replace(QUIET, only_idle=False), WHILE_OPEN),
    ConfigVariant(
        "the machine compares no versions", replace(QUIET, compares_versions=False), OTHER
    ),
    ConfigVariant("nobody compares what is in a slot", replace(OLD, compares_the_sku=False), OTHER),
    ConfigVariant("a restored database stays below", replace(RESTORED, overtakes=False), STUCK),
    # Not mended: see decision 0100. A number that was given twice is taken for the other one.
    ConfigVariant(
        "a restored database, and an edit before the machine is heard",
        replace(RESTORED, orders=1, edits_unheard=True),
        EARLY,
    ),
]
