"""Pictures: what comes from a phone becomes small and harmless, is served for good, and ends when
nothing shows it."""

import asyncio
import io
import struct
import zlib
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image

from coinslot.orders import outlet_pages
from coinslot.pictures import pictures
from coinslot.pictures.decode import MOST_UPLOADED_BYTES, UnreadablePictureError, made_small
from coinslot.pictures.pictures import file_name, keep, sweep
from coinslot.storage.base import NoStorage, StorageAwayError
from coinslot.storage.folder import FolderStorage
from tests.console.conftest import OURS, Browser, form, signed_in
from tests.people.conftest import Staffed, with_people
from tests.sales.stage import Stage

COLA, BRAND = "/console/products/cola", "/console/settings/brand"
FIELDS = {"name": "Cola", "price": "40", "cost": "12,50", "text": "Cold and sweet"}


def photo(
    size: tuple[int, int] = (1200, 800), kind: str = "JPEG", mode: str = "RGB", turned: int = 0
) -> bytes:
    """A photo with a red corner at the top left; `turned` as cameras note it."""
    picture = Image.new(mode, size, "#2255aa" if mode != "RGBA" else (0, 0, 0, 0))
    picture.paste("#ff0000" if mode != "RGBA" else (255, 0, 0, 255), (0, 0, 300, 200))
    exif = Image.Exif()
    exif[0x010F] = "A camera that names its owner"
    if turned:
        exif[0x0112] = turned
    out = io.BytesIO()
    picture.save(out, kind, exif=exif)
    return out.getvalue()


def opened(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body))


@pytest.fixture
def storage(stage: Stage, tmp_path: Path) -> FolderStorage:
    found = FolderStorage(tmp_path / "pictures")
    stage.context.storage = found
    return found


@pytest.fixture
async def staffed(stage: Stage, storage: FolderStorage) -> Staffed:
    """With a storage, before the routes are made."""
    return await with_people(stage)


def test_a_photo_becomes_small_webp_in_several_widths() -> None:
    small = made_small(photo((4000, 3000)))
    assert sorted(small.files) == [160, 320, 640]
    assert (small.width, small.height) == (640, 480)
    for width, body in small.files.items():
        picture = opened(body)
        assert (picture.format, picture.width) == ("WEBP", width)
        assert len(body) < 40_000


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_a_camera_wrote_into_it_is_gone(kind: str) -> None:
    body = photo(kind=kind)
    assert b"names its owner" in body
    for file in made_small(body).files.values():
        assert b"names its owner" not in file
        assert not opened(file).getexif()


def test_a_photo_taken_sideways_stands_upright() -> None:
    small = made_small(photo((1200, 800), turned=6))  # the camera was turned: 90 degrees clockwise
    picture = opened(small.files[small.width]).convert("RGB")
    assert picture.height > picture.width
    red, _, blue = picture.getpixel((picture.width - 5, 5))  # type: ignore[misc]
    assert red > 200 > blue


def test_a_transparent_logo_stays_transparent() -> None:
    small = made_small(photo((400, 400), "PNG", "RGBA"))
    picture = opened(small.files[small.width])
    assert picture.mode == "RGBA"
    assert picture.getpixel((390, 390))[3] == 0  # type: ignore[index]


def test_a_small_picture_is_not_made_larger() -> None:
    assert sorted(made_small(photo((100, 50))).files) == [100]


def png_that_says(width: int, height: int) -> bytes:
    """A header of a picture that would need gigabytes, and nothing behind it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name: bytes, body: bytes) -> bytes:
        whole = name + body
        return struct.pack(">I", len(body)) + whole + struct.pack(">I", zlib.crc32(whole))

    data = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
REFUSED = {
    "svg": (SVG, "unreadable"),
    "svg-with-xml": (b"<?xml version='1.0'?>" + SVG, "unreadable"),
    "html": (b"<html><script>alert(1)</script>", "unreadable"),
    "gif": (b"GIF89a" + b"\0" * 50, "unreadable"),
    "half-a-photo": (photo()[:3000], "unreadable"),
    "noise": (bytes(range(256)) * 20, "unreadable"),
    "nothing": (b"", "unreadable"),
    "bomb": (png_that_says(50_000, 50_000), "too_many_pixels"),
    "wide-bomb": (png_that_says(60_000, 1), "too_many_pixels"),
    "too-large": (photo() + b"\0" * MOST_UPLOADED_BYTES, "too_large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_usable_picture_is_refused_before_it_costs_memory(name: str) -> None:
    body, why = REFUSED[name]
    with pytest.raises(UnreadablePictureError, match=f"picture_{why}"):
        made_small(body)


def jpeg_that_says(side: int, *, progressive: bool, colours: int = 3) -> bytes:
    """A small one whose header says that it is large; its first scan has so many colours."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG", progressive=progressive)
    body = bytearray(out.getvalue())
    size = body.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    body[size : size + 4] = struct.pack(">HH", side, side)
    body[body.index(b"\xff\xda") + 4] = colours
    return bytes(body)


@pytest.mark.parametrize(("progressive", "colours"), [(True, 3), (False, 1)])
def test_a_jpeg_that_is_held_whole_in_memory_is_bounded_like_any_other_picture(
    progressive: bool, colours: int
) -> None:
    """Of 10,950 by 10,950 pixels, and 1.4 MB, it took 700 MB of memory."""
    with pytest.raises(UnreadablePictureError) as refused:
        made_small(jpeg_that_says(10_000, progressive=progressive, colours=colours))
    assert refused.value.text == "picture_too_many_pixels"


def test_a_large_photo_that_comes_by_lines_is_taken_and_so_is_a_small_progressive_one() -> None:
    assert made_small(photo((6000, 5000))).width == 640
    out = io.BytesIO()
    Image.new("RGB", (4000, 3000), "#2255aa").save(out, "JPEG", progressive=True)
    assert made_small(out.getvalue()).width == 640


async def upload(
    browser: Browser, place: str, body: bytes, fields: dict[str, str] | None = None
) -> int:
    page = await browser.look(place)
    answer = await browser.client.post(
        place, data=form(page, place) | (fields or FIELDS), headers=OURS,
        files={"picture": ("cola.jpg", body, "image/jpeg")},
    )  # fmt: skip
    return answer.status_code


async def test_a_picture_of_a_product_is_shown_to_customers_and_served_for_good(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    assert await upload(boris, COLA, photo()) == 303
    view = await outlet_pages.outlet(staffed.stage.context, "M01")
    assert view is not None
    (item,) = view.items
    assert item.picture is not None
    assert (item.picture.width, item.picture.height) == (640, 427)
    assert item.description == "Cold and sweet"
    async with staffed.client() as client:
        for part in item.picture.srcset("").split(", "):
            answer = await client.get(part.split(" ")[0])
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "image/webp"
            assert "immutable" in answer.headers["cache-control"]
            # A page of ours may show it from the address of a CDN.
            assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
            assert answer.headers["x-content-type-options"] == "nosniff"
            again = await client.get(
                part.split(" ")[0], headers={"if-none-match": answer.headers["etag"]}
            )
            assert (again.status_code, again.content) == (304, b"")
    (entry,) = await staffed.log("product.changed")
    assert entry["after"]["picture"] == item.picture.digest


async def test_a_logo_stands_before_the_name(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    fields = {"name": "Chai", "colour": "#0b6b4f", "do": "save"}
    assert await upload(asha, BRAND, photo((300, 300), "PNG", "RGBA"), fields) == 303
    view = await outlet_pages.outlet(staffed.stage.context, "M01")
    assert view is not None
    assert view.brand.logo is not None
    assert view.brand.logo.src("") in (await asha.look(BRAND)).text
    page = await asha.look(BRAND)
    await asha.press(page, BRAND, fields)  # without a file it stays
    view = await outlet_pages.outlet(staffed.stage.context, "M01")
    assert view is not None
    assert view.brand.logo is not None
    await asha.press(await asha.look(BRAND), BRAND, fields | {"no_picture": "1"})
    view = await outlet_pages.outlet(staffed.stage.context, "M01")
    assert view is not None
    assert view.brand.logo is None


@pytest.mark.parametrize("name", ["svg", "bomb", "noise"])
async def test_a_refused_picture_changes_nothing_and_keeps_what_was_typed(
    staffed: Staffed, name: str
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(COLA)
    answer = await boris.client.post(
        COLA, data=form(page, COLA) | FIELDS | {"name": "Typed with care"}, headers=OURS,
        files={"picture": ("x.svg", REFUSED[name][0], "image/svg+xml")},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "Typed with care" in answer.text
    assert await staffed.stage.value("SELECT name FROM products WHERE sku = 'cola'") == "Cola"
    assert await staffed.stage.rows("SELECT * FROM pictures") == []


async def test_an_upload_beyond_the_bound_is_refused_unread(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    assert await upload(boris, COLA, b"\0" * (MOST_UPLOADED_BYTES + 200_000)) == 413
    fields = form(await boris.look(COLA), f"{COLA}/retire")
    answer = await boris.client.post(
        f"{COLA}/retire", data=fields, headers=OURS, files={"x": ("x", b"\0" * 400_000)}
    )
    assert answer.status_code == 413  # no other form takes so much


async def test_without_a_storage_the_form_says_so_and_pages_work(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    assert await upload(boris, COLA, photo()) == 303
    staffed.stage.context.storage = NoStorage()
    page = await boris.look(COLA)
    answer = await boris.client.post(
        COLA, data=form(page, COLA) | FIELDS, headers=OURS,
        files={"picture": ("cola.jpg", photo((50, 50)), "image/jpeg")},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "out of reach" in answer.text
    assert (await outlet_pages.outlet(staffed.stage.context, "M01")) is not None


async def test_a_picture_that_is_out_of_reach_is_no_fault_and_is_not_remembered(
    stage: Stage,
) -> None:
    staffed = await with_people(stage)  # its routes have no storage
    async with staffed.client() as client:
        answer = await client.get(f"/pictures/{'a' * 64}-320.webp")
    assert answer.status_code == 503
    assert answer.headers["cache-control"] == "no-store"
    assert opened(answer.content).size == (1, 1)  # nothing to see, rather than a torn sheet


@pytest.mark.parametrize(
    "wrong",
    ["../../secrets.json", "%2e%2e%2fsecrets.json", "..%2f" * 4 + "etc%2fpasswd", "a.webp",
     f"{'a' * 64}-320.webp", "%00"],
)  # fmt: skip
async def test_no_name_leads_out_of_the_pictures(staffed: Staffed, wrong: str) -> None:
    async with staffed.client() as client:
        answer = await client.get(f"/pictures/{wrong}")
    assert answer.status_code in (400, 404)


async def kept(stage: Stage, body: bytes) -> str:
    context = stage.context
    found = await keep(context.db, context.storage, stage.merchant, body, stage.clock.now())
    return found.digest


async def swept(stage: Stage) -> int:
    context = stage.context
    return await sweep(context.db, context.storage, stage.clock.now(), timedelta(days=1))


async def test_the_same_picture_is_stored_once_and_another_merchants_is_another(
    stage: Stage, storage: FolderStorage
) -> None:
    assert await kept(stage, photo()) == await kept(stage, photo())
    assert len(await stage.rows("SELECT * FROM pictures")) == 1
    small = made_small(photo())
    digests = {pictures._digest(UUID(int=n), small) for n in (1, 2)}
    assert len(digests) == 2


async def test_a_picture_that_nothing_shows_ends_with_its_files(
    stage: Stage, storage: FolderStorage, tmp_path: Path
) -> None:
    lone, used = await kept(stage, photo()), await kept(stage, photo((500, 500)))
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE products SET picture = $1 WHERE sku = 'cola'", used)
    assert await swept(stage) == 0  # somebody may be about to use it
    stage.later(2 * 86400)
    assert await swept(stage) == 1
    assert await storage.read(file_name(lone, 160)) is None
    assert await storage.read(file_name(used, 160)) is not None
    assert {row["digest"] for row in await stage.rows("SELECT digest FROM pictures")} == {used}
    files = [path for path in (tmp_path / "pictures").rglob("*") if path.is_file()]
    assert all(used in path.name for path in files)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE products SET picture = NULL WHERE sku = 'cola'")
    assert await swept(stage) == 1


class Dying(FolderStorage):
    """Dies before, or right after, it has removed or stored the first file."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.dies = True

    async def remove(self, name: str) -> None:
        await super().remove(name)
        if self.dies:
            raise StorageAwayError("it died right after")

    async def put(self, name: str, body: bytes) -> None:
        await super().put(name, body)
        if self.dies:
            raise StorageAwayError("it died right after")


async def test_an_interrupted_end_is_taken_up_again(stage: Stage, tmp_path: Path) -> None:
    stage.context.storage = Dying(tmp_path)
    stage.context.storage.dies = False
    await kept(stage, photo())
    stage.later(2 * 86400)
    stage.context.storage.dies = True
    assert await swept(stage) == 0
    stage.context.storage.dies = False
    assert await swept(stage) == 0  # it may still be at it
    stage.later(700)
    assert await swept(stage) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_an_upload_that_died_leaves_nothing_for_good(stage: Stage, tmp_path: Path) -> None:
    stage.context.storage = Dying(tmp_path)
    with pytest.raises(StorageAwayError):
        await kept(stage, photo())
    (row,) = await stage.rows("SELECT * FROM pictures")
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        assert not await pictures.stored(conn, stage.merchant, row["digest"])
    stage.context.storage.dies = False
    stage.later(2 * 86400)
    assert await swept(stage) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_picture_that_is_being_ended_is_not_taken_into_use(
    stage: Stage, storage: FolderStorage
) -> None:
    await kept(stage, photo())
    stage.later(2 * 86400)
    async with stage.context.db.system_transaction() as conn:
        await conn.fetch("SELECT * FROM end_pictures($1, $1, 10)", stage.clock.now())
    with pytest.raises(pictures.PictureBusyError):
        await kept(stage, photo())


async def test_uploads_at_once_of_one_picture_keep_one(
    stage: Stage, storage: FolderStorage
) -> None:
    found = await asyncio.gather(*(kept(stage, photo()) for _ in range(4)))
    assert len(set(found)) == 1
    assert len(await stage.rows("SELECT * FROM pictures")) == 1


async def test_chandra_neither_sees_nor_uses_ashas_picture(staffed: Staffed) -> None:
    digest = await kept(staffed.stage, photo())
    async with staffed.stage.context.db.as_merchant(staffed.chandra) as conn:
        assert await conn.fetch("SELECT * FROM pictures") == []
        assert not await pictures.stored(conn, staffed.chandra, digest)
