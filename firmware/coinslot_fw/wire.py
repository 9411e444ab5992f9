"""Messages as bytes. A message repeated has the same bytes, so the order of fields is fixed here:
MicroPython's own json.dumps may give another one each time."""

import json

_MAX_MESSAGE_BYTES = 4096  # of one down; a longer one has no room in the memory of the chip


def encode(message):
    """JSON with `type` first and the other fields by name."""
    names = sorted(message, key=_place)
    return "{" + ",".join(json.dumps(name) + ":" + _value(message[name]) for name in names) + "}"


def _place(name):
    return "" if name == "type" else name


def _value(value):
    if isinstance(value, dict):
        return encode(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_value(one) for one in value) + "]"
    return json.dumps(value)


def decode(payload):
    """The object in a payload, or None."""
    if len(payload) > _MAX_MESSAGE_BYTES:
        return None
    try:
        message = json.loads(payload)
    except (ValueError, UnicodeError):
        return None
    return message if isinstance(message, dict) else None


def picked(text, names):
    """These fields of a JSON object, read without making objects of the others: {"a": None} keeps
    all of `a`, {"a": {"b": None}} its `b` alone. Raises ValueError for what is no object."""
    found, depth, start, name, inside, skip = {}, 0, 0, None, False, False
    for index, char in enumerate(text):
        if index and not depth:
            raise ValueError  # something behind its end
        if skip or inside:
            inside, skip = skip or char != '"', not skip and char == "\\"
        elif char == '"':
            inside = True
        elif char == ":" and depth == 1:
            name, start = json.loads(text[start:index]), index + 1
        elif char in "{[":
            depth += 1
            start = index + 1 if depth == 1 else start
        elif char in "}]" or (char == "," and depth == 1):
            if depth == 1 and name in names:
                part, inner = text[start:index].strip(), names[name]
                is_part = inner and part[:1] == "{"
                found[name] = picked(part, inner) if is_part else json.loads(part)
            depth -= char in "}]"
            if depth == 1 and char == ",":
                start, name = index + 1, None
    if depth or inside or text[:1] != "{":
        raise ValueError
    return found
