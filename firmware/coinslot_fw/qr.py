"""A QR code for the display: bytes, level L, versions 3 to 5, mask 0. Three fit a display of 64
lines with two dots for each module up to 53 characters; that is enough for a machine's address."""

# version: data codewords, error correction codewords; one block each
_KINDS = {3: (55, 15), 4: (80, 20), 5: (108, 26)}
_FORMAT = 0b111011111000100  # of level L and mask 0, as it is drawn


class TooLongError(Exception):
    """More than 106 bytes."""


def _times(x, y):
    """In the field of 256 elements of QR codes."""
    z = 0
    for i in range(7, -1, -1):
        z = (z << 1) ^ (0x11D if z >> 7 else 0)
        z ^= x if (y >> i) & 1 else 0
    return z


def _correction(data, count):
    divisor, root = [0] * (count - 1) + [1], 1
    for _ in range(count):
        for i in range(count):
            divisor[i] = _times(divisor[i], root)
            if i + 1 < count:
                divisor[i] ^= divisor[i + 1]
        root = _times(root, 2)
    rest = [0] * count
    for byte in data:
        factor = byte ^ rest.pop(0)
        rest.append(0)
        for i in range(count):
            rest[i] ^= _times(divisor[i], factor)
    return bytes(rest)


def _codewords(text):
    raw = text.encode()
    for version in (3, 4, 5):
        size, extra = _KINDS[version]
        if len(raw) + 2 <= size:
            break
    else:
        raise TooLongError
    # Four bits of mode, eight of length, the bytes, four bits of end: all shifted by half a byte.
    whole = bytes([0x40 | len(raw) >> 4, (len(raw) & 15) << 4]) + bytes(len(raw))
    data = bytearray(whole[: len(raw) + 2])
    for i, byte in enumerate(raw):
        data[i + 1] |= byte >> 4
        data[i + 2] |= (byte & 15) << 4
    for i in range(size - len(data)):
        data.append(0x11 if i & 1 else 0xEC)
    return version, bytes(data) + _correction(data, extra)


def matrix(text):
    """Rows of bytes, 1 for a dark module. Raises TooLongError."""
    version, words = _codewords(text)
    size = 17 + 4 * version
    rows = [bytearray(size) for _ in range(size)]
    fixed = [bytearray(size) for _ in range(size)]
    _draw(rows, fixed, size)
    bit, up, x = 0, True, size - 1
    while x > 0:
        x -= x == 6
        for step in range(size):
            y = size - 1 - step if up else step
            for column in (x, x - 1):
                if not fixed[y][column]:
                    dark = bit < 8 * len(words) and words[bit >> 3] >> (7 - (bit & 7)) & 1
                    rows[y][column] = int(dark) ^ ((y + column) % 2 == 0)
                    bit += 1
        up, x = not up, x - 2
    return rows


def _draw(rows, fixed, size):
    def put(x, y, dark):
        if 0 <= x < size and 0 <= y < size:
            rows[y][x], fixed[y][x] = int(dark), 1

    for i in range(size):
        put(6, i, i % 2 == 0)
        put(i, 6, i % 2 == 0)
    for left, top in ((3, 3), (size - 4, 3), (3, size - 4)):
        for dy in range(-4, 5):
            for dx in range(-4, 5):
                put(left + dx, top + dy, max(abs(dx), abs(dy)) not in (2, 4))
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            put(size - 7 + dx, size - 7 + dy, max(abs(dx), abs(dy)) != 1)
    for i in range(15):
        dark = _FORMAT >> i & 1
        first = (8, i) if i < 6 else (8, i + 1) if i < 8 else (7, 8) if i == 8 else (14 - i, 8)
        put(first[0], first[1], dark)
        second = (size - 1 - i, 8) if i < 8 else (8, size - 15 + i)
        put(second[0], second[1], dark)
    put(8, size - 8, 1)
