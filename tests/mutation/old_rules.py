"""Mutants of rules that a later migration replaced: the database ends as it does without them."""

from tests.mutation.mutant import Mutant
from tests.mutation.sql_tokens import Token, tokens

# A table that is changed with these words may change the rows that are in it.
_CHANGES_ROWS = frozenset({"DEFAULT", "USING", "GENERATED"})
_DEFINES = frozenset({"CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "COMMENT"})


def defines(mutant: Mutant, text: str) -> bool:
    """Whether the mistake is in a statement that only says how the database is, and moves no rows:
    it is no mistake where docs/schema.sql does not change."""
    statement = _statement_at(text, mutant.edits[0].start)
    words = {token.upper for token in statement}
    if not statement or statement[0].upper not in _DEFINES:
        return False
    return statement[0].upper != "ALTER" or not words & _CHANGES_ROWS


def _statement_at(text: str, place: int) -> list[Token]:
    """Its tokens, from one `;` outside of a body to the next."""
    statement: list[Token] = []
    quoted = False
    for token in tokens(text):
        quoted ^= token.kind == "quote"
        if token.text == ";" and not quoted:
            if token.start >= place:
                return statement
            statement = []
        else:
            statement.append(token)
    return statement
