"""What must hold of the two tables beside the laws of every table; read like those."""

from collections.abc import Iterator

from coinslot.rollouts.flow import AFTER_GO, BEFORE_GO
from coinslot.states.laws import Flows, Law, must, name_of


def a_wave_goes_on_only_after_a_soak_or_a_person(flows: Flows) -> Iterator[str]:
    leads = {"SOAKED": "running", "STAGE_OVER": "soaking", "FINISHED": "done", "START": "running",
             "RESUME": "running"}  # fmt: skip
    for row in flows["rollout"].rows:
        if row.event in leads:
            yield from must(row, leads[row.event])


def what_fails_or_is_stopped_does_not_go_on(flows: Flows) -> Iterator[str]:
    for row in flows["rollout"].rows:
        if row.event in ("FAILING", "PAUSE"):
            yield from must(row, "paused")
        elif row.event == "ABORT":
            yield from must(row, "aborted")


def nothing_is_installed_without_go(flows: Flows) -> Iterator[str]:
    for row in flows["machine_update"].rows:
        if row.event == "GO":
            yield from must(row, "installing")
        elif row.next == "installing" and row.state != "installing":
            yield f"{name_of(row)}: the server gave no GO"


def what_a_machine_says_before_go_leads_one_step_on(flows: Flows) -> Iterator[str]:
    leads = {
        ("offered", "DOWNLOADING"): "downloading",
        **{(state, "VERIFIED"): "verified" for state in BEFORE_GO},
        **{(state, "REFUSED"): "failed" for state in (*BEFORE_GO, "installing")},
    }
    for row in flows["machine_update"].rows:
        if row.event in ("DOWNLOADING", "VERIFIED", "REFUSED"):
            yield from must(row, leads.get((row.state, row.event), row.state))


def the_version_of_a_new_boot_is_the_truth(flows: Flows) -> Iterator[str]:
    leads = {"NEW_VERSION": "trial", "OLD_VERSION": "rolled_back", "CONFIRMED": "confirmed"}
    for row in flows["machine_update"].rows:
        if row.event in leads:
            yield from must(row, leads[row.event])


def silence_is_no_success_and_after_go_nothing_is_withdrawn(flows: Flows) -> Iterator[str]:
    leads = {"DEADLINE": "silent", "GIVEN_UP": "failed", "SKIP": "skipped", "RETRY": "waiting",
             "GO_VOID": "waiting", "OFFER": "offered"}  # fmt: skip
    for row in flows["machine_update"].rows:
        if row.event in leads:
            yield from must(row, leads[row.event])
        if row.state in AFTER_GO and row.event in ("SKIP", "RETRY", "OFFER"):
            yield f"{name_of(row)}: it may have the new code already"


LAWS: tuple[Law, ...] = (
    a_wave_goes_on_only_after_a_soak_or_a_person,
    what_fails_or_is_stopped_does_not_go_on,
    nothing_is_installed_without_go,
    what_a_machine_says_before_go_leads_one_step_on,
    the_version_of_a_new_boot_is_the_truth,
    silence_is_no_success_and_after_go_nothing_is_withdrawn,
)
