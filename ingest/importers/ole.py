"""The compound file an old binary workbook is kept in, as far as the import needs it. Clause C2."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.importers.report import Rejected

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END_OF_CHAIN = 0xFFFFFFFE
_MINI_CUTOFF = 4096
_FILEPASS, _DATE_1904 = 0x002F, 0x0022
_END, _BOUND_SHEET, _FORMULA, _BOOL_OR_ERROR = 0x000A, 0x0085, 0x0006, 0x0205


@dataclass(frozen=True, slots=True)
class Workbook:
    """What a binary workbook says that its reader does not tell: the epoch, and each sheet's cells without a value.

    Cells are (row, column) from 0, with the class of the import contract that holds for them.
    """

    epoch_1904: bool
    odd_cells: tuple[dict[tuple[int, int], str], ...]  # in the order of the sheets


def read_ole(data: bytes) -> Workbook:
    """Return the facts of a binary workbook. Raises Rejected: encrypted, type_mismatch, unsafe_archive, corrupt."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise Rejected("encrypted", "文件有密码，请去除密码后再导入")
    try:
        names, stream = _workbook_stream(data)
    except (struct.error, IndexError, ValueError) as broken:
        raise Rejected("corrupt", "文件结构损坏或不完整") from broken
    if stream is None:
        raise Rejected("type_mismatch", "不是 Excel 工作簿")
    if "_VBA_PROJECT_CUR" in names:
        raise Rejected("unsafe_archive", "文件含宏，请另存为不含宏的工作簿")
    try:
        return _facts(stream)
    except struct.error as broken:
        raise Rejected("corrupt", "文件结构损坏或不完整") from broken


def _workbook_stream(data: bytes) -> tuple[set[str], bytes | None]:
    sector_size = 1 << struct.unpack_from("<H", data, 30)[0]
    if sector_size not in (512, 4096):
        raise ValueError("sector size")
    (directory_start,) = struct.unpack_from("<I", data, 48)
    mini_start, _mini_count, difat_start, difat_count = struct.unpack_from("<IIII", data, 60)
    fat_sectors = [s for s in struct.unpack_from("<109I", data, 76) if s < _END_OF_CHAIN]
    per_sector = sector_size // 4
    for _ in range(min(difat_count, 1000)):
        if difat_start >= _END_OF_CHAIN:
            break
        entries = struct.unpack_from(f"<{per_sector}I", data, (difat_start + 1) * sector_size)
        fat_sectors += [s for s in entries[:-1] if s < _END_OF_CHAIN]
        difat_start = entries[-1]
    fat: list[int] = []
    for sector in fat_sectors:
        fat += struct.unpack_from(f"<{per_sector}I", data, (sector + 1) * sector_size)

    def chain(start: int, size: int | None = None) -> bytes:
        pieces, seen = [], 0
        while start < _END_OF_CHAIN and seen <= len(fat):
            at = (start + 1) * sector_size
            pieces.append(data[at : at + sector_size])
            if len(pieces[-1]) < sector_size and size is None:
                raise ValueError("cut")
            start = fat[start]
            seen += 1
        return b"".join(pieces)[:size]

    directory = chain(directory_start)
    names: set[str] = set()
    found: tuple[int, int] | None = None
    root: tuple[int, int] = (0, 0)
    for at in range(0, len(directory) - 127, 128):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
        if not name:
            continue
        names.add(name)
        start, size = struct.unpack_from("<II", directory, at + 116)
        if directory[at + 66] == 5:
            root = (start, size)
        if name in ("Workbook", "Book"):
            found = (start, size)
    if found is None:
        return names, None
    start, size = found
    if size >= _MINI_CUTOFF:
        stream = chain(start, size)
    else:
        mini_fat_bytes = chain(mini_start) if mini_start < _END_OF_CHAIN else b""
        mini_fat = struct.unpack(f"<{len(mini_fat_bytes) // 4}I", mini_fat_bytes)
        container = chain(root[0], root[1])
        pieces: list[bytes] = []
        while start < _END_OF_CHAIN and len(pieces) <= len(mini_fat):
            pieces.append(container[start * 64 : start * 64 + 64])
            start = mini_fat[start]
        stream = b"".join(pieces)[:size]
    if len(stream) < size:
        raise ValueError("cut")
    return names, stream


def _facts(stream: bytes) -> Workbook:
    epoch_1904, starts = False, []
    for kind, body in _records(stream, 0):
        if kind == _FILEPASS:
            raise Rejected("encrypted", "文件有密码，请去除密码后再导入")
        if kind == _DATE_1904 and len(body) >= 2:
            epoch_1904 = body[0] == 1
        elif kind == _BOUND_SHEET and len(body) >= 4:
            starts.append(struct.unpack_from("<I", body)[0])
    return Workbook(epoch_1904, tuple(_odd_cells(stream, start) for start in starts))


def _odd_cells(stream: bytes, start: int) -> dict[tuple[int, int], str]:
    """Return the cells of one sheet that hold an error, or a formula whose value was never saved."""
    found: dict[tuple[int, int], str] = {}
    for kind, body in _records(stream, start):
        if kind == _BOOL_OR_ERROR and len(body) >= 8 and body[7] == 1:
            found[struct.unpack_from("<HH", body)] = "error_cell"
        elif kind == _FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff":
            if body[6] == 2:
                found[struct.unpack_from("<HH", body)] = "error_cell"
            elif body[6] == 3:
                found[struct.unpack_from("<HH", body)] = "formula_no_value"
    return found


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield (kind, body) of the records from `at` to the end of their part."""
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        if kind == _END:
            return
        at += 4 + length
