"""Genuine events that are odd: none is refused, for a gateway that is refused for days stops to
tell; and none of ours is passed over in silence."""

import random

import pytest

from coinslot.gateways import marks
from coinslot.gateways.base import Forged, Genuine, Hint, Unreadable, Verdict
from tests.gateways.odd_events import VOICES, Said, Voice, spoil

SEEDS = range(1_500)


@pytest.fixture(params=sorted(VOICES))
def voice(request: pytest.FixtureRequest) -> Voice:
    return VOICES[request.param]()


def heard(voice: Voice, said: Said) -> Verdict:
    headers, body = voice.signed(said)
    verdict = voice.till.read_webhook(headers, body)
    assert verdict == voice.till.read_webhook(headers, body)  # told again, it is the same
    return verdict


def test_an_event_of_ours_is_understood(voice: Voice) -> None:
    for said in voice.ours:
        verdict = heard(voice, said)
        assert isinstance(verdict, Hint) or (isinstance(verdict, Genuine) and verdict.facts)


def test_an_odd_event_of_others_is_taken_and_bears_no_mark_of_ours(voice: Voice) -> None:
    for said in voice.others:
        verdict = heard(voice, said)
        assert not isinstance(verdict, Forged), said
        if isinstance(verdict, Unreadable):
            assert verdict.mark is None, said
            assert verdict.reason


@pytest.mark.parametrize("times", [1, 3])
def test_an_event_of_ours_that_is_spoiled_is_taken_once(voice: Voice, times: int) -> None:
    for seed in SEEDS:
        said = spoil(voice, random.Random(seed), times)
        verdict = heard(voice, said)
        assert not isinstance(verdict, Forged), said
        assert verdict.delivery_id, said
        assert "\0" not in f"{verdict}", said


def test_an_event_of_ours_with_one_field_spoiled_is_worked_or_looked_into(voice: Voice) -> None:
    """What is left of it, be it the mark or an id, is enough to know that it may be ours."""
    for seed in SEEDS:
        said = spoil(voice, random.Random(seed), 1)
        verdict = heard(voice, said)
        if isinstance(verdict, Unreadable):
            marked = verdict.mark is not None and marks.is_ours(verdict.mark, "here")
            assert marked or voice.names & set(verdict.names), said
        else:
            assert isinstance(verdict, Hint) or (isinstance(verdict, Genuine) and verdict.facts), (
                said
            )
