"""All mistakes that are put into real code, by number."""

from tests.mutants.machine import MACHINE
from tests.mutants.server import SERVER

IN_CODE = tuple(sorted((*SERVER, *MACHINE), key=lambda mutation: mutation.number))
