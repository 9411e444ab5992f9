"""One application for all tests of a worker: Litestar reads four hundred handlers anew for each,
which takes more than most tests do with it. Each test's own context, clock and backend stand
behind it, and what it keeps in memory is put back as it was when it was new."""

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from gc import get_referents
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, cast

from litestar import Litestar

from coinslot.app.page_backend import ContextBackend
from coinslot.app.routes import build
from coinslot.context import Context
from coinslot.kit.clock import Clock
from coinslot.pages.backend import Backend
from coinslot.pages.site import Site
from tests.sales.stage import Stage
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

# Whose objects are looked through, and whose memory is put back.
_LOOKED_THROUGH = ("coinslot.", "litestar.", "builtins", "collections", "functools", "types")
_PUT_BACK = ("coinslot.", "litestar.stores.")


Kind = tuple[type[Backend], bool, Site, dict[str, Any]]


class StandIn:
    """Everything is asked of the object that it stands for now. There is none while the
    application is built: what would be read and kept then was another test's."""

    def __init__(self) -> None:
        self.stand_for(None)

    def stand_for(self, one: object) -> None:
        object.__setattr__(self, "_one", one)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_one"), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(object.__getattribute__(self, "_one"), name, value)


def lent_app(stage: Stage, **more: Any) -> Litestar:
    """The application of this worker, which serves this stage from now on; `more` as `build` takes
    it."""
    return lent(FakeBackend(), SITE, stage.clock, stage.context, **more)


def customers_app(context: Context, site: Site = SITE) -> Litestar:
    """The same with the rows of this context behind customers' pages."""
    return lent(ContextBackend(context, "1", None), site, context.clock, context)


def served_app(backend: Backend, site: Site, stage: Stage) -> Litestar:
    """Another one, for a server in a thread of its own beside the tests that those are lent to."""
    kept = _kept(_SERVED, (type(backend), False, site, {}))
    return kept.lend(backend, stage.clock, stage.context)


def lent(
    backend: Backend, site: Site, clock: Clock, context: Context | None = None, **more: Any
) -> Litestar:
    """An application of this worker that serves all these from now on. Where there is no context,
    it has no merchants' API, as `build` says."""
    kept = _kept(_KEPT, (type(backend), context is None, site, more))
    return kept.lend(backend, clock, context)


def _kept(among: "list[KeptApp]", kind: Kind) -> "KeptApp":
    kept = next((one for one in among if one.kind == kind), None)
    if kept is None:
        kept = KeptApp(*kind)
        among.append(kept)
    return kept


class KeptApp:
    """`lend` it to a test. Two backends of different types are two applications: one test may have
    both at a time."""

    def __init__(
        self, backend: type[Backend], alone: bool, site: Site, more: dict[str, Any]
    ) -> None:
        self.kind = (backend, alone, site, more)
        self._context, self._clock, self._backend = StandIn(), StandIn(), StandIn()
        self.app = build(
            cast(Backend, self._backend), site, cast(Clock, self._clock),
            None if alone else cast(Context, self._context), **more,
        )  # fmt: skip
        self._put_back = [again for one in reached(self.app) for again in _memory(one)]

    def lend(self, backend: Backend, clock: Clock, context: Context | None) -> Litestar:
        for again in self._put_back:
            again()
        self._context.stand_for(context)
        self._clock.stand_for(clock)
        self._backend.stand_for(backend)
        return self.app


_KEPT: list[KeptApp] = []
_SERVED: list[KeptApp] = []


def reached(root: object) -> Iterator[object]:
    """Every object of ours, and every store of Litestar, that this one leads to."""
    seen, waiting = {id(root)}, [root]
    while waiting:
        one = waiting.pop()
        if type(one).__module__.startswith(_PUT_BACK):
            yield one
        for following in _leads_to(one):
            if id(following) not in seen:
                seen.add(id(following))
                waiting.append(following)


def _leads_to(one: object) -> list[Any]:
    if isinstance(one, type | ModuleType | StandIn):
        return []
    if isinstance(one, FunctionType):  # not the globals of its module
        return [*(one.__closure__ or ()), *(one.__defaults__ or ())]
    if isinstance(one, MethodType | partial | CellType):
        return get_referents(one)
    return get_referents(one) if type(one).__module__.startswith(_LOOKED_THROUGH) else []


def _memory(one: object) -> Iterator[Callable[[], None]]:
    """What puts back each attribute of an object, and the content of each container."""
    names = {name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())}
    kept = {name: getattr(one, name) for name in names if hasattr(one, name)}
    kept |= getattr(one, "__dict__", {})

    def attributes() -> None:
        for name in getattr(one, "__dict__", {}).keys() - kept.keys():
            object.__delattr__(one, name)
        for name, value in kept.items():
            if getattr(one, name, None) is not value:
                object.__setattr__(one, name, value)

    yield attributes
    for value in kept.values():
        if isinstance(value, dict | list | set | deque):
            yield partial(_filled_with, value, value.copy())


def _filled_with(container: Any, content: Any) -> None:
    if container != content:
        container.clear()
        (container.extend if isinstance(container, list | deque) else container.update)(content)
