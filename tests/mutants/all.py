"""All mistakes that are put into real code, by number."""

from tests.mutants.coffee import COFFEE
from tests.mutants.machine import MACHINE
from tests.mutants.server import SERVER

IN_CODE = tuple(sorted((*SERVER, *MACHINE), key=lambda mutation: mutation.number))
BESIDE = COFFEE  # mistakes of a way of selling, with no word in the model
