"""The compound file an old binary workbook is kept in, as far as the import needs it. Clause C2."""

import struct
from dataclasses import dataclass

from ingest.importers.report import Rejected

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END_OF_CHAIN = 0xFFFFFFFE
_MINI_CUTOFF = 4096
_BOF, _FILEPASS, _DATE_1904 = 0x0809, 0x002F, 0x0022
_GLOBALS_END = 0x000A


@dataclass(frozen=True, slots=True)
class Workbook:
    """What the globals of a binary workbook say."""

    epoch_1904: bool


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
    return _globals(stream)


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
        pieces = []
        while start < _END_OF_CHAIN and len(pieces) <= len(mini_fat):
            pieces.append(container[start * 64 : start * 64 + 64])
            start = mini_fat[start]
        stream = b"".join(pieces)[:size]
    if len(stream) < size:
        raise ValueError("cut")
    return names, stream


def _globals(stream: bytes) -> Workbook:
    at, epoch_1904 = 0, False
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if kind == _FILEPASS:
            raise Rejected("encrypted", "文件有密码，请去除密码后再导入")
        if kind == _DATE_1904 and length >= 2:
            epoch_1904 = struct.unpack_from("<H", stream, at + 4)[0] == 1
        if kind == _GLOBALS_END:
            break
        at += 4 + length
    return Workbook(epoch_1904)
