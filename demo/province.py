"""虚构·海岳省 as a whole: the seeded firms and records, written once as an office's files and kept under their key."""

import hashlib
import json
import os
import random
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from demo import files, site
from demo.files import Delivery
from demo.firms import Firm, make_firms, true_rate
from demo.geography import CITIES
from demo.history import TODAY, make_history
from demo.records import History, Post, Sample
from demo.stories import SILENT_FEED, SILENT_SINCE, Cast, cast, plant

FEEDS = {"demo_feed_daily": "海岳日报（虚构）", SILENT_FEED: "澜泽晚报（虚构）", "demo_feed_social": "问岳（虚构）"}
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Province:
    """The province of one seed and scale. Making it is cheap; writing its files is done once by `build`."""

    seed: int = 2026
    scale: float = 1.0

    @cached_property
    def _cast_firms(self) -> tuple[list[Firm], Cast]:
        return cast(make_firms(self._random("firms"), self.scale, TODAY), self._random("cast"))

    @property
    def firms(self) -> list[Firm]:
        """Every firm, by number."""
        return self._cast_firms[0]

    @property
    def players(self) -> Cast:
        """Who plays in which planted story."""
        return self._cast_firms[1]

    @cached_property
    def history(self) -> History:
        """Everything recorded until the demonstration's today."""
        history = make_history(self.firms, self._random("history"), self.scale)
        plant(history, self.firms, self.players, self._random("stories"))
        return history

    @cached_property
    def key(self) -> str:
        """Changes with the seed, the scale, this package and the taxonomy: what decides every byte that is written."""
        digest = hashlib.sha256(f"{self.seed}|{self.scale}".encode())
        sources = sorted(path for path in _HERE.iterdir() if path.suffix in (".py", ".csv", ".yml"))
        taxonomy = _HERE.parent / "nlp" / "lexicon" / "product_taxonomy.yaml"
        for path in (*(path for path in sources if path.stem in _SHAPING.split()), taxonomy):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    def _random(self, part: str) -> random.Random:
        """A generator of its own for each part, so that one part's change leaves the others as they were."""
        return random.Random(f"{self.seed}:{part}")

    def build(self, folder: Path) -> "Built":
        """Write the files under `folder/<key>` unless they are there already, and return where they are.

        They are written beside their place and moved there in one step: a build killed half-way leaves nothing that
        looks finished, and the next run starts over.
        """
        place = folder / self.key
        if not (place / "manifest.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in folder.glob(".building-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            workshop = Path(tempfile.mkdtemp(prefix=".building-", dir=folder))
            self._write(workshop)
            os.replace(workshop, place)
        return Built(place)

    def _write(self, place: Path) -> None:
        firms = {firm.number: firm for firm in self.firms}
        history, rng = self.history, self._random("files")
        (place / "files").mkdir()
        deliveries: list[Delivery] = []

        def deliver(name: str, kind: str, source_id: str) -> Path:
            deliveries.append(Delivery(Path("files") / name, kind, source_id, TODAY))
            return place / "files" / name

        files.region_csv(place / "files" / "regions.csv")
        files.table_workbook(
            deliver("01_企业登记名录.xlsx", "register", "demo_register"),
            "企业登记名录", files.REGISTER_HEADERS, files.register_rows(self.firms),
        )  # fmt: skip
        files.table_workbook(
            deliver("02_许可认证台账.xlsx", "licence", "demo_licence"),
            "许可认证台账", files.LICENCE_HEADERS, files.licence_rows(self.firms),
        )  # fmt: skip
        city_samples = [sample for sample in history.samples if sample.level != "省抽"]
        self._write_cities(city_samples, firms, deliver, rng)
        self._write_complaints(history, deliver)
        on_feeds = self._write_feeds(place / "site", history.posts)
        rest = [post for post in history.posts if post.number not in on_feeds]
        half = len(rest) // 2
        files.table_csv(
            deliver("舆情监测导出_2023至2025.csv", "opinion", "demo_opinion"),
            files.OPINION_HEADERS, files.opinion_rows(rest[:half]), "gb18030",
        )  # fmt: skip
        files.opinion_json(deliver("舆情监测导出_2025至2026.json", "opinion", "demo_opinion"), rest[half:])
        _write_registers(history, deliver)
        provincial = [sample for sample in history.samples if sample.level == "省抽"]
        site.write_site(place / "site", provincial, firms, rng)
        (place / "truth").mkdir()
        (place / "truth" / "truth.json").write_text(json.dumps(self.truth(), ensure_ascii=False), "utf-8")
        manifest = [
            {
                "path": delivery.path.as_posix(),
                "kind": delivery.kind,
                "source_id": delivery.source_id,
                "received_on": delivery.received_on.isoformat(),
            }
            for delivery in deliveries
        ]
        (place / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), "utf-8")

    def _write_cities(self, samples: list[Sample], firms: dict[int, Firm], deliver: Any, rng: random.Random) -> None:
        for number, city in enumerate(CITIES):
            own = sorted((s for s in samples if files.city_of(s) == city.code), key=lambda s: (s.on, s.number))
            years: dict[str, list[Sample]] = {}
            for sample in own:
                years.setdefault(f"{sample.on.year}年", []).append(sample)
            source_id = f"demo_sampling_{city.code[:4]}"
            files.sampling_workbook(
                deliver(f"监督抽查结果_{city.name}.xlsx", "sampling", source_id),
                f"{city.name}产品质量监督抽查结果汇总表", years, firms, number % 6, rng,
            )  # fmt: skip

    def _write_complaints(self, history: History, deliver: Any) -> None:
        complaints = sorted(history.complaints, key=lambda complaint: (complaint.on, complaint.number))
        for year in sorted({complaint.on.year for complaint in complaints}):
            rows = files.complaint_rows(c for c in complaints if c.on.year == year)
            if year % 2:
                path = deliver(f"12315投诉举报导出_{year}.csv", "complaint", "demo_complaint")
                files.table_csv(path, files.COMPLAINT_HEADERS, rows, "gb18030")
            else:
                path = deliver(f"12315投诉举报导出_{year}.xlsx", "complaint", "demo_complaint")
                files.table_workbook(path, f"{year}年投诉举报", files.COMPLAINT_HEADERS, rows)

    def _write_feeds(self, folder: Path, posts: list[Post]) -> set[str]:
        """Write the three feeds; return the numbers of the posts they carry, which no export repeats."""
        told: set[str] = set()
        for turn, (source_id, outlet) in enumerate(FEEDS.items()):
            until = SILENT_SINCE if source_id == SILENT_FEED else TODAY
            medium = "新闻" if source_id != "demo_feed_social" else "论坛"
            # Posts of the planted stories stay in the exports, where their number of copies is certain.
            free = [p for p in posts if p.number.startswith("P") and int(p.number[1:]) % len(FEEDS) == turn]
            items = site.newest(free, medium, until, max(12, round(90 * self.scale)))
            told |= {post.number for post in items}
            site.write_feed(folder / "feed" / f"{source_id.removeprefix('demo_feed_')}.xml", outlet, items)
        return told

    def truth(self) -> dict[str, Any]:
        """What the pipeline never reads: each firm's real failure probability by product, and whose record is whose."""
        return {
            "synthetic": True,
            "seed": self.seed,
            "scale": self.scale,
            "firms": [
                {
                    "number": firm.number, "name": firm.name, "uscc": firm.uscc, "county": firm.county,
                    "registered": firm.registered, "story": firm.story, "quality": round(firm.quality, 4),
                    "failure": {p: round(true_rate(firm, p, self.firms), 6) for p in firm.products},
                }
                for firm in self.firms
            ],
            "samples": {s.number: [s.producer, s.seller] for s in self.history.samples},
            "complaints": {c.number: c.respondent for c in self.history.complaints},
            "cast": asdict(self.players),
        }  # fmt: skip


# The modules and tables that decide what is written; the rest of the package only reads it.
_SHAPING = """
codes files firms geography history phrases province records site stories trades writing
"""


@dataclass(frozen=True, slots=True)
class Built:
    """The written province."""

    place: Path

    @property
    def site(self) -> Path:
        """The folder the bureau's site is served from."""
        return self.place / "site"

    @property
    def truth(self) -> Path:
        """The file nothing in the pipeline may read."""
        return self.place / "truth" / "truth.json"

    def deliveries(self) -> Iterable[Delivery]:
        """The files in the order they are to be imported: the registers of firms first."""
        for row in json.loads((self.place / "manifest.json").read_text("utf-8")):
            yield Delivery(
                self.place / row["path"], row["kind"], row["source_id"], date.fromisoformat(row["received_on"])
            )


def _write_registers(history: History, deliver: Any) -> None:
    """The small registers, each in the shape its office uses."""
    shapes = {
        "case": ("行政处罚公示台账", "csv"),
        "inspection": ("监督检查记录", "xlsx"),
        "self_check": ("企业自查填报", "csv"),
        "injury": ("产品伤害监测报告卡", "xlsx"),
        "monitoring": ("风险监测点报告", "xlsx"),
        "credit": ("企业信用风险分类结果", "csv"),
        "recall": ("消费品召回公告汇总", "xlsx"),
    }
    for kind, (title, shape) in shapes.items():
        rows = history.registers[kind]
        if not rows:
            continue
        headers = tuple(rows[0])
        cells = [tuple(row.values()) for row in rows]
        path = deliver(f"{title}.{shape}", kind, f"demo_{kind}")
        if shape == "csv":
            files.table_csv(path, headers, cells, "gb18030")
        else:
            files.table_workbook(path, title, headers, cells)
