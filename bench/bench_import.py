"""Rows a second of the importers against a bare read of the same file with the same library, in one run.

    python -m bench.bench_import [--csv-rows 1000000] [--xlsx-rows 100000] [--load-rows 50000] [--repeat 3]

Prints one JSON object a line. `times_bare` is the import's time over the bare read's (goal: under 2.5) and
`cpu_times_bare` the same in CPU seconds, which a busy machine does not blur; `rss_mib` is
the most the reading process and its parent held together; `of_raw` the bulk load's rows a second over those of a
plain `executemany` of the same prepared rows (goal: at least 0.7).
"""

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

HEADER = (
    "抽样编号",
    "产品名称",
    "标称生产企业名称",
    "统一社会信用代码",
    "规格型号",
    "被抽样单位",
    "抽样日期",
    "抽查结果",
    "不合格项目",
    "所在地市",
)
_PRODUCTS = (
    "电线电缆",
    "电动自行车充电器",
    "燃气灶",
    "摩托车乘员头盔",
    "儿童学步车",
    "家用燃气软管",
    "聚氯乙烯绝缘电缆",
)
_ITEMS = ("导体电阻", "耐压", "标志和说明", "绝缘电阻", "热负荷准确度")
_CITIES = ("杭州市", "宁波市", "温州市", "绍兴市", "金华市")


def rows(count: int) -> Iterator[list[str]]:
    """Yield rows as an office has them: unique numbers, 20,000 firms, one row in ten failed."""
    draw = random.Random(7)
    firms = [(f"江城第{i}电器有限公司", _code(i)) for i in range(20_000)]
    day = date(2024, 1, 1)
    for i in range(count):
        firm, code = firms[draw.randrange(len(firms))]
        failed = i % 10 == 0
        yield [
            f"GZ2024{i:08d}", draw.choice(_PRODUCTS), firm, code, f"BV-{i % 997}mm²", f"江城{i % 5000}商行",
            (day + timedelta(days=i % 700)).isoformat(), "不合格" if failed else "合格",
            draw.choice(_ITEMS) if failed else "/", draw.choice(_CITIES),
        ]  # fmt: skip


def _code(number: int) -> str:
    from nlp.uscc import uscc_check_digit

    first = f"91330100{number:09d}"
    return first + uscc_check_digit(first)


def write_csv(path: Path, count: int) -> None:
    """Write the rows as GB18030 CSV."""
    with path.open("w", encoding="gb18030", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADER)
        writer.writerows(rows(count))


def write_xlsx(path: Path, count: int) -> None:
    """Write the rows as a workbook."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_numbers": False})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADER)
    for number, row in enumerate(rows(count), start=1):
        sheet.write_row(number, 0, row)
    book.close()


def bare_csv(path: Path) -> int:
    """Read the file with the csv module and nothing else."""
    with path.open(encoding="gb18030", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def bare_xlsx(path: Path) -> int:
    """Read the file with calamine and nothing else."""
    import python_calamine

    return len(python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()) - 1


def checked(path: Path) -> int:
    """Read the file as the product does before it stores: header, types, checks, duplicates, sandbox."""
    from ingest.importers import close_workers, read_file

    report = read_file(path, "sampling", keep_rows=False)
    close_workers()
    if not report.accepted or report.quarantined:
        raise SystemExit(f"the benchmark's own file was not taken: {report.status} {report.reason}")
    return report.valid


_READERS: dict[str, Callable[[Path], int]] = {"bare_csv": bare_csv, "bare_xlsx": bare_xlsx, "checked": checked}


def measure(reader: str, path: Path, expected: int) -> tuple[float, float, float]:
    """Return (seconds, CPU seconds, MiB held at most by parent and child) of one reader in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.bench_import", "--reader", reader, "--file", str(path)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    if answer["rows"] != expected:
        raise SystemExit(f"{reader} read {answer['rows']} rows instead of {expected}")
    return answer["seconds"], answer["cpu"], answer["mib"]


def _one_reader(reader: str, path: Path) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    before = used.ru_utime + used.ru_stime
    started = time.perf_counter()
    count = _READERS[reader](path)
    seconds = time.perf_counter() - started
    own, child = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + child.ru_utime + child.ru_stime - before
    print(json.dumps({"rows": count, "seconds": seconds, "cpu": cpu, "mib": (own.ru_maxrss + child.ru_maxrss) / 1024}))


def compare(kind: str, path: Path, count: int, repeat: int) -> None:
    """Print the import's time over the bare read's, taking turns and keeping the best of each."""
    bare, own = [], []
    for _ in range(repeat):
        bare.append(measure(f"bare_{kind}", path, count))
        own.append(measure("checked", path, count))
    best_bare, best_own = min(bare)[0], min(own)[0]
    say(
        bench=f"import {kind}", rows=count, mib=round(path.stat().st_size / 1048576, 1),
        bare_rows_s=round(count / best_bare), rows_s=round(count / best_own),
        times_bare=round(best_own / best_bare, 2), goal="< 2.5",
        cpu_times_bare=round(min(cpu for _, cpu, _ in own) / min(cpu for _, cpu, _ in bare), 2),
        rss_mib=round(max(mib for _, _, mib in own)),
    )  # fmt: skip


def bulk_load(folder: Path, count: int, repeat: int) -> None:
    """Print rows a second of storing signals against a raw executemany of the same prepared rows."""
    from bench.bulk_load import load_ratio

    say(**load_ratio(folder, rows(count), count, repeat))


def say(**facts: object) -> None:
    """Print one result."""
    print(json.dumps(facts, ensure_ascii=False), flush=True)


def main() -> None:
    """Run the benchmarks asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--csv-rows", type=int, default=1_000_000)
    parser.add_argument("--xlsx-rows", type=int, default=100_000)
    parser.add_argument("--load-rows", type=int, default=50_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--reader", choices=sorted(_READERS))
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    if asked.reader:
        _one_reader(asked.reader, asked.file)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.csv_rows:
            write_csv(folder / "a.csv", asked.csv_rows)
            compare("csv", folder / "a.csv", asked.csv_rows, asked.repeat)
        if asked.xlsx_rows:
            write_xlsx(folder / "a.xlsx", asked.xlsx_rows)
            compare("xlsx", folder / "a.xlsx", asked.xlsx_rows, asked.repeat)
        if asked.load_rows:
            bulk_load(folder, asked.load_rows, asked.repeat)


if __name__ == "__main__":
    main()
