"""Lines of the demo's input: what a node would refuse is found before anything is built or started.

The bounds are those of src/core/limits.h and docs/api.md; tests/rig/demo_test.py holds them to what
a node says.
"""

import datetime
import json
import math
import re

FIELDS = ("type", "payload", "ts", "source", "device", "schema", "id", "topic")
TEXT_BYTES = {"type": 128, "source": 128, "device": 128, "topic": 64, "id": 36}
PAYLOAD_BYTES = 64 << 10
LINE_BYTES = 1 << 20
DEPTH = 8
ELEMENTS = 4096
TOPIC = re.compile(r"[a-z0-9.-][a-z0-9_.-]*")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?"
                  r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII)


class FeedError(Exception):
    """A line cannot be used; the text names it."""


def object_of(pairs):
    """A JSON object without a key that is there twice."""
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"a key is there twice: {twice}")
    return value


def no_constant(name):
    raise ValueError(f"not JSON: {name}")


def decoded(line):
    if len(line) > LINE_BYTES:
        raise ValueError(f"{len(line)} bytes, at most {LINE_BYTES}")
    try:
        return json.loads(line.decode(), object_pairs_hook=object_of,
                          parse_constant=no_constant)
    except RecursionError:
        raise ValueError(f"nested deeper than {DEPTH}") from None
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from None


def text_bytes(text):
    """UTF-8, which half of a surrogate pair is not."""
    try:
        return len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise ValueError("not UTF-8") from None


def header_bytes(size, steps):
    """Of a value whose header grows by the steps (up to, bytes)."""
    return next(width for up_to, width in steps if size <= up_to)


def number_bytes(value):
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number that cannot be kept")
        return 9
    if not -(1 << 63) <= value < 1 << 64:
        raise ValueError(f"a number that cannot be kept: {value}")
    if value >= 0:
        return header_bytes(value, ((127, 1), (0xff, 2), (0xffff, 3), (0xffffffff, 5),
                                    (1 << 64, 9)))
    return header_bytes(-value, ((32, 1), (1 << 7, 2), (1 << 15, 3), (1 << 31, 5), (1 << 63, 9)))


def stored_bytes(value, depth=0):
    """The size of a payload as it is stored; fails where it cannot be."""
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, (int, float)):
        return number_bytes(value)
    if isinstance(value, str):
        size = text_bytes(value)
        return size + header_bytes(size, ((31, 1), (0xff, 2), (0xffff, 3), (1 << 32, 5)))
    if depth >= DEPTH:
        raise ValueError(f"nested deeper than {DEPTH}")
    if len(value) > ELEMENTS:
        raise ValueError(f"more than {ELEMENTS} elements in one array or object")
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    return header_bytes(len(value), ((15, 1), (0xffff, 3))) + sum(
        stored_bytes(each, depth + 1) for each in inside)


def check_text(name, value):
    if not isinstance(value, str):
        raise ValueError(f"{name} has to be a text")
    size = text_bytes(value)
    if not 0 < size <= TEXT_BYTES[name]:
        raise ValueError(f"{name} has {size} bytes, and has to have 1 to {TEXT_BYTES[name]}")
    if name == "type" and value.startswith("ebb."):
        raise ValueError('types that begin with "ebb." are reserved')
    if name == "topic" and not TOPIC.fullmatch(value):
        raise ValueError(f"not the name of a topic: {value}")
    if name == "id" and not UUID.fullmatch(value):
        raise ValueError(f"id has to be a UUID, not {value}")


def check_integer(name, value, least, end):
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < end:
        raise ValueError(f"{name} has to be an integer from {least} to {end - 1}, not {value}")


def ts_ms(value):
    """The instant of a `ts` in ms since 1970, rounded down; None without one."""
    if value is None:
        return None
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"ts has to be RFC 3339 text or an integer of milliseconds, "
                             f"not {json.dumps(value)[:40]}")
        check_integer("ts", value, -(1 << 63), 1 << 63)
        return value
    found = TIME.fullmatch(value)
    if not found:
        raise ValueError(f"ts has to be an RFC 3339 time with Z or an offset, not {value[:40]}")
    day, hour, minute, second, fraction, zone, _ = found.groups()
    days = (datetime.date.fromisoformat(day) - datetime.date(1970, 1, 1)).days
    hour, minute, second = int(hour), int(minute), int(second)
    if hour > 23 or minute > 59 or second > 60:  # a leap second may be one
        raise ValueError(f"ts is no time of a day: {value}")
    offset = 0
    if zone not in "Zz":
        offset = int(zone[1:3]) * 60 + int(zone[4:6])
        offset = -offset if zone[0] == "-" else offset
    minutes = days * 1440 + hour * 60 + minute - offset
    return minutes * 60000 + second * 1000 + int((fraction or "0")[:3].ljust(3, "0"))


def check_event(event):
    """Fails with words where a node would not take the event."""
    if not isinstance(event, dict):
        raise ValueError("an object was expected")
    for name in event:
        if name not in FIELDS:
            raise ValueError(f"unknown field {name[:40]}")
    if "type" not in event:
        raise ValueError("type is required")
    for name in TEXT_BYTES:
        if name == "type" or event.get(name) is not None:
            check_text(name, event[name])
    if event.get("source") is not None and event.get("device") is not None:
        raise ValueError("give source or device, not both")
    if event.get("schema") is not None:
        check_integer("schema", event["schema"], 0, 1 << 64)
    ts_ms(event.get("ts"))
    size = stored_bytes(event.get("payload"))
    if size > PAYLOAD_BYTES:
        raise ValueError(f"the payload has {size} bytes as it is stored, at most {PAYLOAD_BYTES}")


def parse_line(line, number):
    """The object of a line, with numbers as exact as the node keeps them."""
    try:
        event = decoded(line)
        check_event(event)
    except ValueError as error:
        raise FeedError(f"line {number}: {error}") from None
    return event


def check_ids(events):
    """Passes (number, event) on; an id that is there again would be no event of its own."""
    first = {}
    for number, event in events:
        name = event.get("id")
        if name is not None and first.setdefault(name.lower(), number) != number:
            raise FeedError(f"line {number}: the id of line {first[name.lower()]} again: {name}")
        yield number, event
