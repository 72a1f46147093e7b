"""What must hold of a ZIP file before anything in it is opened. Clause C2."""

import re
import stat
import zipfile
import zlib
from io import BytesIO

from ingest.importers.report import Rejected

MIB = 1024 * 1024
MAX_EXPANDED, MAX_ENTRIES = 200 * MIB, 1_000
MAX_RATIO, RATIO_FLOOR = 100, 16 * MIB
_ENCRYPTED_FLAG = 0x1


def open_archive(data: bytes) -> dict[str, bytes]:
    """Return the entries of a ZIP file by name, each checked for size while it is unpacked.

    Raises Rejected: corrupt, encrypted, unsafe_archive, too_large_expanded.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(data))
        entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, UnicodeError) as broken:
        raise Rejected("corrupt", "压缩结构损坏或文件不完整") from broken
    _check_directory(entries)
    contents: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        if entry.is_dir():
            continue
        body = _unpack(archive, entry, MAX_EXPANDED - total)
        total += len(body)
        contents[entry.filename] = body
    return contents


def _check_directory(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise Rejected("too_large_expanded", f"压缩包内超过 {MAX_ENTRIES} 个条目")
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename.replace("\\", "/")
        if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/") or "\x00" in name:
            raise Rejected("unsafe_archive", "压缩包内有越出目录的路径")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Rejected("unsafe_archive", "压缩包内有符号链接")
        if name.casefold() in seen:
            raise Rejected("unsafe_archive", "压缩包内有重名条目")
        seen.add(name.casefold())
        if name.casefold().endswith("vbaproject.bin") or "/macrosheets/" in f"/{name.casefold()}":
            raise Rejected("unsafe_archive", "文件含宏，请另存为不含宏的 .xlsx")
        if entry.file_size > RATIO_FLOOR and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise Rejected("too_large_expanded", "压缩比异常")
    if sum(entry.file_size for entry in entries) > MAX_EXPANDED:
        raise Rejected("too_large_expanded", "解压后超过 200 MiB")
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise Rejected("encrypted", "文件有密码，请去除密码后再导入")


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> bytes:
    """Return an entry's bytes, counting what really comes out: declared sizes may lie."""
    start = _data_start(archive, entry)
    stream = archive.fp
    if stream is None:
        raise Rejected("corrupt", "压缩结构损坏或文件不完整")
    stream.seek(start)
    packed = stream.read(entry.compress_size)
    if len(packed) < entry.compress_size:
        raise Rejected("corrupt", "压缩结构损坏或文件不完整")
    if entry.compress_type == zipfile.ZIP_STORED:
        body = packed
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        inflater = zlib.decompressobj(-15)
        limit = min(room, max(RATIO_FLOOR, MAX_RATIO * len(packed)))
        try:
            body = inflater.decompress(packed, limit + 1)
        except zlib.error as broken:
            raise Rejected("corrupt", "压缩数据损坏") from broken
        if len(body) > limit:
            raise Rejected("too_large_expanded", "解压后的实际大小超过限制")
        if not inflater.eof:
            raise Rejected("corrupt", "压缩数据不完整")
    else:
        raise Rejected("corrupt", "不支持的压缩方式")
    if len(body) > room:
        raise Rejected("too_large_expanded", "解压后超过 200 MiB")
    if len(body) != entry.file_size or zlib.crc32(body) != entry.CRC:
        raise Rejected("corrupt", "压缩数据与校验不符")
    return body


def _data_start(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Return where an entry's data begin; its local header must name the same entry as the directory."""
    try:
        with archive.open(entry) as opened:
            opened.read(0)
        stream = archive.fp
        if stream is None:
            raise zipfile.BadZipFile("closed")
        stream.seek(entry.header_offset)
        local = stream.read(30)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, zlib.error, EOFError) as broken:
        raise Rejected("corrupt", "压缩结构损坏或文件不完整") from broken
    return entry.header_offset + 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
