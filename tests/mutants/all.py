"""All mistakes that are put into real code, by number."""

from tests.mutants.board import BOARD
from tests.mutants.coffee import COFFEE
from tests.mutants.counter import COUNTER
from tests.mutants.machine import MACHINE
from tests.mutants.money import MONEY
from tests.mutants.receipts import RECEIPTS
from tests.mutants.server import SERVER

IN_CODE = tuple(sorted((*SERVER, *MACHINE), key=lambda mutation: mutation.number))
BESIDE = (*COFFEE, *RECEIPTS, *COUNTER, *BOARD, *MONEY)  # of what the model has no word for
