"""TensorBoard's event files: the scalars in them, without TensorBoard.

A file is a row of records, each: its length (8 bytes, little endian), a checksum of these 8 bytes (4), the data, a
checksum of the data (4). The checksum is CRC-32C, rotated by 15 bits and moved by a constant. The data is a protocol
buffer `Event`, of which is read (field number: what):

    Event    2: step    5: summary
    Summary  1: value, many
    Value    1: tag    2: simple_value (float)    8: tensor
    Tensor   1: dtype  4: tensor_content (bytes)  5: float_val  6: double_val  7: int_val  10: int64_val

Only the checksum of the length is checked: it tells a file that is damaged from one that is still being written, and
without the length nothing after it can be read. A record of more than 1 MiB holds pictures: it is passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from automl.execution.status_readers.readings import MetricReadings, Parser

_LONGEST = 1 << 20  # bytes of a record that is read
_MOST_PENDING = 1000  # steps whose epoch is not known yet
_HEAD, _FOOT = 12, 4  # bytes around the data of a record
_FORMATS = {1: "<f", 2: "<d", 3: "<i", 9: "<q"}  # dtype of a tensor's content -> how one number lies there
_NUMBERS = {5: "<f", 6: "<d"}  # field of a tensor -> how a number lies in it
_WHOLE_NUMBERS = (7, 10)


class EventFile:
    """The step is the epoch, or the value of the tag that the rule's `epoch` names, written at the same step."""

    def __init__(self, readings: MetricReadings) -> None:
        self._readings, self._tag = readings, readings.rule.epoch
        self._rest = b""
        self._skip = 0  # bytes of a long record that are still to come
        self._damaged = False
        self._epochs: dict[int, float] = {}  # by step
        self._waiting: dict[int, dict[str, float]] = {}  # by step, what has no epoch yet

    def feed(self, data: bytes) -> None:
        if self._damaged:
            return
        self._rest += data
        while not self._damaged and (record := self._record()) is not None:
            try:
                self._event(record)
            except (ValueError, IndexError, struct.error, UnicodeDecodeError):
                self._readings.bad_lines += 1

    def close(self) -> None:
        """Nothing is left to take: a record without its end is not whole."""

    def _record(self) -> bytes | None:
        """The data of the next whole record; None when it is not there yet."""
        if self._skip:
            taken = min(self._skip, len(self._rest))
            self._rest, self._skip = self._rest[taken:], self._skip - taken
        if self._skip or len(self._rest) < _HEAD:
            return None
        length, checksum = struct.unpack_from("<QI", self._rest)
        if checksum != masked_checksum(self._rest[:8]):
            self._damaged = True
            self._readings.bad_lines += 1
            return None
        if length > _LONGEST:
            self._skip = _HEAD + length + _FOOT
            return b"" if self._rest else None
        end = _HEAD + length + _FOOT
        if len(self._rest) < end:
            return None
        record, self._rest = self._rest[_HEAD : end - _FOOT], self._rest[end:]
        return record

    def _event(self, record: bytes) -> None:
        step = 0
        numbers: dict[str, float] = {}
        for field, value in _fields(record):
            if field == 2 and isinstance(value, int):
                step = value
            elif field == 5 and isinstance(value, bytes):
                numbers.update(_scalars(value))
        if not numbers:
            return
        if self._tag is None:
            self._readings.add(float(step), numbers)
            return
        if self._tag in numbers:
            self._epochs[step] = numbers.pop(self._tag)
            numbers = {**self._waiting.pop(step, {}), **numbers}
        if step in self._epochs:
            self._readings.add(self._epochs[step], numbers)
        elif step in self._waiting or len(self._waiting) < _MOST_PENDING:
            self._waiting.setdefault(step, {}).update(numbers)


def _scalars(summary: bytes) -> Iterator[tuple[str, float]]:
    for field, value in _fields(summary):
        if field != 1 or not isinstance(value, bytes):
            continue
        tag, number = "", None
        for inner, content in _fields(value):
            if inner == 1 and isinstance(content, bytes):
                tag = content.decode()
            elif inner == 2 and isinstance(content, bytes):
                number = float(struct.unpack("<f", content)[0])
            elif inner == 8 and isinstance(content, bytes):
                number = _one_number(content)
        if number is not None:
            yield tag, number


def _one_number(tensor: bytes) -> float | None:
    """The number in a tensor that holds exactly one."""
    numbers: list[float] = []
    dtype = 0
    for field, value in _fields(tensor):
        if field == 1 and isinstance(value, int):
            dtype = value
        elif isinstance(value, int) and field in _WHOLE_NUMBERS:
            numbers.append(float(_signed(value)))
        elif isinstance(value, bytes) and field in _WHOLE_NUMBERS:
            offset = 0
            while offset < len(value):
                whole, offset = _varint(value, offset)
                numbers.append(float(_signed(whole)))
        elif isinstance(value, bytes) and (form := _FORMATS.get(dtype) if field == 4 else _NUMBERS.get(field)):
            numbers += [float(number) for (number,) in struct.iter_unpack(form, value)]
    return numbers[0] if len(numbers) == 1 else None


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a protocol buffer; what is not a whole number as its bytes.

    Raises ValueError or IndexError when the data is none.
    """
    offset = 0
    while offset < len(data):
        key, offset = _varint(data, offset)
        kind = key & 7
        if kind == 0:
            value, offset = _varint(data, offset)
            yield key >> 3, value
            continue
        if kind == 2:
            length, offset = _varint(data, offset)
        elif kind in {1, 5}:
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if offset + length > len(data):
            raise ValueError("cut off")
        yield key >> 3, data[offset : offset + length]
        offset += length


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset
    raise ValueError("a number of more than ten bytes")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _table() -> tuple[int, ...]:
    rows = []
    for row in range(256):
        value = row
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        rows.append(value)
    return tuple(rows)


_CRC_32C = _table()


def masked_checksum(data: bytes) -> int:
    """The checksum as the file holds it."""
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum = _CRC_32C[(checksum ^ byte) & 0xFF] ^ (checksum >> 8)
    checksum ^= 0xFFFFFFFF
    return (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFFFFFF


_KEEPS_THE_PROTOCOL: type[Parser] = EventFile
