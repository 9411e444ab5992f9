"""All mistakes that are put into real code, by number."""

from tests.mutants.board import BOARD
from tests.mutants.coffee import COFFEE
from tests.mutants.config import CONFIG
from tests.mutants.counter import COUNTER
from tests.mutants.firmware import FIRMWARE
from tests.mutants.machine import MACHINE
from tests.mutants.money import MONEY
from tests.mutants.receipts import RECEIPTS
from tests.mutants.rollouts import ROLLOUTS
from tests.mutants.server import SERVER
from tests.mutants.speed import SPEED
from tests.mutants.stock import STOCK
from tests.mutants.telemetry import TELEMETRY

IN_CODE = tuple(sorted((*SERVER, *MACHINE), key=lambda mutation: mutation.number))
BESIDE = (
    *COFFEE,
    *RECEIPTS,
    *COUNTER,
    *BOARD,
    *MONEY,
    *STOCK,
    *CONFIG,
    *ROLLOUTS,
    *SPEED,
    *FIRMWARE,
    *TELEMETRY,
)  # of what the model has no word for
