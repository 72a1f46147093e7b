"""Bordered tables in PDF. A scanned page holds no text to read: that is said, not guessed at."""

import logging
import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from ingest.importers.report import Rejected
from ingest.importers.tables import Row, Table

MAX_PAGES = 500


def read_pdf(data: bytes) -> Iterator[Table]:
    """Yield the bordered tables; one that goes on over pages is one table.

    Raises Rejected: encrypted, corrupt, limit_exceeded (over 500 pages), scanned_pdf, no_header.
    """
    import pdfplumber
    from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
    from pdfplumber.utils.exceptions import PdfminerException

    logging.getLogger("pdfminer").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            book = pdfplumber.open(BytesIO(data), raise_unicode_errors=False)
            pages = len(book.pages)
        except PdfminerException as broken:
            cause = broken.args[0] if broken.args else None
            if isinstance(cause, PDFPasswordIncorrect | PDFEncryptionError):
                raise Rejected("encrypted", "文件有密码，请去除密码后再导入") from broken
            raise Rejected("corrupt", "PDF 损坏或不完整") from broken
        if pages > MAX_PAGES:
            raise Rejected("limit_exceeded", f"超过 {MAX_PAGES} 页，请拆分后再导入")
        if pages == 0:
            raise Rejected("corrupt", "PDF 损坏或不完整")
        yield from _tables(book)


def _tables(book: Any) -> Iterator[Table]:
    tables: list[list[Row]] = []
    texts, images = 0, 0
    for page in book.pages:
        try:
            texts += len(page.chars)
            images += len(page.images)
            found = page.extract_tables()
        except Exception as broken:
            raise Rejected("corrupt", f"PDF 第 {page.page_number} 页无法读取") from broken
        for grid in found:
            rows: list[Row] = [[_joined(cell) for cell in row] for row in grid]
            if tables and rows and len(rows[0]) == len(tables[-1][0]):
                tables[-1] += rows
            elif rows:
                tables.append(rows)
        page.close()
    if not texts:
        reason = "这是扫描件，没有可读取的文字，请提供电子表格" if images else "没有可读取的文字"
        raise Rejected("scanned_pdf" if images else "no_header", reason)
    for number, rows in enumerate(tables, start=1):
        yield Table(f"表{number}", rows)


def _joined(cell: str | None) -> str:
    """Return a cell's text; lines broken by its width are put together again, with a blank between two Latin words."""
    if not cell:
        return ""
    text = ""
    for line in cell.split("\n"):
        blank = text and line and text[-1].isascii() and text[-1].isalpha() and line[0].isascii() and line[0].isalpha()
        text += (" " if blank else "") + line.strip()
    return text
