"""From a name as written to the firms it could mean, each with its certainty and the reasons."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from rapidfuzz.fuzz import ratio
from rapidfuzz.process import extract

from nlp.enterprises.abbreviations import Abbreviations, bare
from nlp.enterprises.characters import fold, look_alikes
from nlp.enterprises.compare import SAME, Difference, charge, compare_bodies, compare_branches, compare_forms
from nlp.enterprises.latin import LatinReader, LatinReading, english_matches, is_latin
from nlp.enterprises.names import NameParser, Parsed, squeeze
from nlp.enterprises.names_index import Entry, NamesIndex, Numbers
from nlp.enterprises.policy import NamePolicy, words
from nlp.enterprises.scored import Scored, keep
from nlp.enterprises.types import Firm
from nlp.regions import RegionIndex

_HOPELESS = 0.2  # below this a candidate is not worth naming
_MISSPELT = ("brand_homophone", "brand_near_sound", "brand_look_alike")
_ABBREVIATED = 8  # longest name that can be a short one
_CLEAR = 0.06  # how far the best reading of a short name must be ahead
_ALIKE = 0.7
_WITHOUT_FORM = re.compile(r"(?:集团|股份|有限|责任|公司|\(|\))+$")
_BODIES = 400  # bodies of one 字号 that are compared
_ENTRIES = 60  # names of one body whose spelling is compared
_SHOWN = 6
_SHOWN_LOCAL = 3
_LOCAL = 3_000  # names of one place that are compared letter by letter
_UNLIKE = 40.0  # names less like than this (0–100) are not kept
_NEAR = 80.0  # a name of the same place this like it (0–100) ends the search


class Search:
    """Looks names up in a register's names. Reads them; never changes them."""

    def __init__(
        self,
        names: NamesIndex,
        aliases: dict[str, list[tuple[int, str]]],
        keys: Numbers,
        seats: Sequence[str],
        parser: NameParser,
        firms: Sequence[Firm],
    ) -> None:
        self._firms = firms
        self._short: Abbreviations | None = None
        self._names = names
        self._aliases = aliases
        self._keys = keys
        self._seats = seats
        self._parser = parser
        self._policy: NamePolicy = parser.policy
        self._regions: RegionIndex = parser.regions
        self._latin: LatinReader | None = None
        self._placed_names = [firms[firm].name for firm in names.placed_firms]

    def added(self, number: int) -> None:
        """Take note of a body that was put in after the indexes were built."""
        self._short = None
        if self._latin is not None:
            self._latin.add(self._names.split(number)[0], number)

    def find(self, text: str, parsed: Parsed, wide: bool) -> dict[int, Scored]:
        """Candidates by firm. `wide` asks for namesakes even where the very name is registered."""
        scored: dict[int, Scored] = {}
        if is_latin(text):
            self._score_latin(scored, text)
            if scored:
                return scored
        for position in self._keys.get(parsed.key):
            keep(scored, Scored(position, 1.0, ("名称一致",), "exact_name"))
        if scored and not wide:
            if parsed.region or self._letter_by_letter(scored, text):
                return scored
            alike = charge(self._policy, "form_alike")
            for item in scored.values():
                item.certainty, item.taken = item.certainty - alike.cost, alike.taken
        self._score_aliases(scored, parsed.key)
        read: dict[int, Scored] = {}
        for variant, paid in self._variants(parsed):
            self._score_variant(read, variant, paid)
            if self._best(read) >= self._policy.link:
                break
        for item in read.values():
            keep(scored, item)
        if self._best(scored) >= self._policy.link:
            return scored
        near = self._local(parsed)
        for firm in list(near)[:_SHOWN_LOCAL]:
            self._score_spelling(scored, parsed, firm)
        if self._best(scored) >= self._policy.link:
            return scored
        if next(iter(near.values()), 0.0) < _NEAR:
            self._score_look_alikes(scored, parsed)
            if self._best(scored) >= self._policy.link:
                return scored
            self._score_shop(scored, parsed)
            if self._best(scored) < self._policy.link and len(parsed.key) <= _ABBREVIATED:
                self._score_abbreviation(scored, parsed)
        if self._best(scored) < self._policy.review:
            self._score_similar(scored, parsed, near)
        return scored

    def _letter_by_letter(self, scored: dict[int, Scored], text: str) -> bool:
        """False when 有限公司 is written for 有限责任公司 or the like: without a place it may be another's name."""
        asked = squeeze(text)
        return any(asked == squeeze(name) for firm in scored for name in self._all_names(firm))

    def _all_names(self, firm: int) -> tuple[str, ...]:
        return (self._firms[firm].name, *self._firms[firm].former_names)

    def _best(self, scored: dict[int, Scored]) -> float:
        return max((item.certainty for item in scored.values()), default=0.0)

    def _local(self, parsed: Parsed) -> dict[int, float]:
        """The names of the same place that are spelt most like this one, best first, with their likeness 0–100."""
        near: dict[int, float] = {}
        asked = fold(self._text(parsed))
        for code in parsed.region_codes:
            part = self._names.placed(code, _LOCAL)
            names, firms = self._placed_names[part], self._names.placed_firms[part]
            for _, score, at in extract(asked, names, scorer=ratio, limit=_SHOWN, score_cutoff=_UNLIKE):
                near[firms[at]] = max(score, near.get(firms[at], 0.0))
        return dict(sorted(near.items(), key=lambda pair: -pair[1])[:_SHOWN])

    def _score_spelling(self, scored: dict[int, Scored], parsed: Parsed, firm: int) -> None:
        """Compare with one firm's name part by part, whatever it sounds or looks like."""
        for number in self._names.exact(self._parser.parse(self._firms[firm].name).body):
            self._score_body(scored, parsed, number, SAME)

    def _score_similar(self, scored: dict[int, Scored], parsed: Parsed, near: dict[int, float]) -> None:
        """The nearest in spelling, for a person to look at: none of them is near enough to be linked by this alone."""
        if next(iter(near.values()), 0.0) < _NEAR:
            name = fold(self._text(parsed))
            body = parsed.body.replace(parsed.aside, "") if parsed.aside else parsed.body
            for number in self._names.similar(body):
                self._score_body(scored, parsed, number, SAME)
                for entry in islice(self._names.entries(number), _ENTRIES):
                    if entry.firm not in near:
                        near[entry.firm] = ratio(name, self._firms[entry.firm].name)
        for firm in sorted(near, key=lambda firm: -near[firm])[:_SHOWN]:
            certainty = near[firm] / 100 * (self._policy.review - 0.01)
            keep(scored, Scored(firm, certainty, (f"写法相近（{near[firm]:.0f}%）",), "fuzzy"))

    def _text(self, parsed: Parsed) -> str:
        return parsed.region + parsed.body + parsed.form if parsed.extra else parsed.key

    # Other names of a firm

    def _score_aliases(self, scored: dict[int, Scored], key: str, paid: Difference = SAME) -> None:
        stem = key.removesuffix("牌")
        spellings = {key, stem, stem + "牌"}
        if "牌" in key:
            before = key[: key.index("牌")]
            spellings |= {before, before + "牌"}
        for spelling in spellings:
            for position, kind in self._aliases.get(spelling, ()):
                line, why = ("short_name", "简称一致") if kind == "short" else ("brand_name", "品牌或店铺名一致")
                self._keep(scored, position, charge(self._policy, line, why) + paid, "alias")

    def _score_shop(self, scored: dict[int, Scored], parsed: Parsed) -> None:
        """A shop's nickname: without platform and kind of shop it may be a brand or a short name."""
        text = parsed.key
        for platform in words().platforms:
            text = text.replace(platform, "")
        before = ""
        while text != before:
            before = text
            for suffix in self._policy.shop_suffixes:
                if len(text) - len(suffix) >= 2:
                    text = text.removesuffix(suffix)
        if text != parsed.key and len(text) > 2:
            text = text.removesuffix("店")
        if text == parsed.key or len(text) < 2:
            return
        paid = charge(self._policy, "brand_name", f"网店昵称“{parsed.key}”")
        self._score_aliases(scored, text, paid)
        self._score_variant(scored, self._parser.parse(text), paid)

    def _score_abbreviation(self, scored: dict[int, Scored], parsed: Parsed) -> None:
        """A short name nobody registered. It links only when it fits one firm far better than the next."""
        said = bool(parsed.region) + bool(parsed.industry) + bool(parsed.form)
        if parsed.region and len(parsed.key) > 5:
            return
        if len(parsed.key) > 4 and (said > 1 or (parsed.form and not parsed.form.startswith(("集团", "股份")))):
            return  # it says too much to be a short name
        if self._short is None:
            self._short = Abbreviations([_WITHOUT_FORM.sub("", squeeze(firm.name)) for firm in self._firms])
        short = bare(parsed.key)
        found = self._short.best(short, self._starts)[:5]
        closing = parsed.key[len(short) :]
        if closing in ("股份", "集团"):
            # 天龙集团 is the 天龙 that has 集团 in its name; 天龙股份 is the other one.
            with_word = [
                (f, x + (0.03 if ("集团" in self._firms[f].name) == (closing == "集团") else 0)) for f, x in found
            ]
            found = sorted(with_word, key=lambda pair: -pair[1])
        if not found:
            return
        clear = len(found) == 1 or found[0][1] - found[1][1] >= _CLEAR
        price = self._policy.deductions["abbreviation"]
        for place, (firm, likeness) in enumerate(found):
            certainty = min(1.0, likeness) * (1 - price)
            if place or not clear or likeness < _ALIKE:
                certainty = likeness * (self._policy.link - 0.05)
            if certainty >= _HOPELESS:
                keep(scored, Scored(firm, certainty, (f"简写与全称相符（{likeness:.0%}）",), "fuzzy"))

    def _starts(self, firm: int) -> frozenset[int]:
        """Where the parts of a firm's name begin, in its squeezed name."""
        name = squeeze(self._firms[firm].name)
        parsed = self._parser.parse(name)
        begins = {0, name.find(parsed.brand), name.find(parsed.industry) if parsed.industry else 0}
        at = 0
        while at < len(name):
            length = self._parser.word_at(name, at)
            if length:
                begins.add(at)
            at += length or 1
        return frozenset(begins)

    # Ways to read a name

    def _variants(self, parsed: Parsed) -> Iterator[tuple[Parsed, Difference]]:
        """The name as read, then other ways to read it, each with what that costs."""
        policy = self._policy
        split = self._parser.split_industry
        length, codes = self._parser.place_chain(parsed.extra) if parsed.extra and not parsed.region else (0, ())
        if length and length == len(parsed.extra):
            yield replace(parsed, region=parsed.extra, region_codes=codes), Difference(0.0, ("行政区划写在末尾",))
        else:
            yield parsed, SAME
        if parsed.region and len(parsed.brand) <= 3:
            brand, industry = split(parsed.region + parsed.body)
            yield (
                replace(parsed, region="", region_codes=(), brand=brand, industry=industry),
                charge(policy, "region_in_brand"),
            )
        body = parsed.body
        if not parsed.region:
            for start in range(1, len(body) - 1):
                length, codes = self._parser.place_chain(body, start)
                if length and len(body) - length >= 2:
                    brand, industry = split(body[:start] + body[start + length :])
                    place = body[start : start + length]
                    moved = replace(parsed, region=place, region_codes=codes, brand=brand, industry=industry)
                    yield moved, charge(policy, "region_moved", "行政区划位置不同")
        for at in range(len(parsed.brand) - 1):
            swapped = body[:at] + body[at + 1] + body[at] + body[at + 2 :]
            if any(True for _ in self._names.exact(swapped)):
                size = len(parsed.brand)
                fixed = replace(parsed, brand=swapped[:size], industry=swapped[size:])
                yield fixed, charge(policy, "brand_swap", f"字号两字颠倒：{body[at : at + 2]}")
        for length in range(min(6, len(body) - 2), 1, -1):
            if self._parser.is_industry(body[:length]):
                turned = replace(parsed, brand=body[length:], industry=body[:length])
                yield turned, charge(policy, "industry_order", "字号与行业颠倒")
        if not parsed.form:
            meant = [form for form in "厂店" if form in look_alikes().get(body[-1:], "") and len(body) > 4]
            for form in meant:
                brand, industry = split(body[:-1].removesuffix("商"))
                misread = replace(parsed, brand=brand, industry=industry, form="商店" if body[-2] == "商" else form)
                yield misread, charge(policy, "industry_look_alike", f"组织形式一字形近：{body[-1]}／{form}")
            for length in (1, 2, 3, 4):
                if len(body) - length >= 3 and self._parser.begins_form(body[-length:]):
                    brand, industry = split(body[:-length])
                    short = replace(parsed, brand=brand, industry=industry, form=body[-length:], cut=True)
                    yield short, charge(policy, "truncated", "组织形式被截断", 0.5)
        if not parsed.region:
            yield from self._misspelt_places(parsed)

    def _score_look_alikes(self, scored: dict[int, Scored], parsed: Parsed) -> None:
        """Bodies that are this one but for one look-alike (and, elsewhere in the name, sounds)."""
        body, size = parsed.body, len(parsed.brand)
        for number, at, other in self._names.alike(body):
            changed = body[:at] + other + body[at + 1 :]
            line, part = ("brand_look_alike", "字号") if at < size else ("industry_look_alike", "行业")
            fixed = replace(parsed, brand=changed[:size], industry=changed[size:])
            paid = charge(self._policy, line, f"{part}一字形近：{body[at]}／{other}")
            self._score_body(scored, fixed, number, paid)

    def _misspelt_places(self, parsed: Parsed) -> Iterator[tuple[Parsed, Difference]]:
        """宁坡华盛 for 宁波华盛: the first characters are a place but for one look-alike."""
        shapes, body = look_alikes(), parsed.body
        for at in range(min(3, len(body) - 3)):
            for other in shapes.get(body[at], ""):
                changed = body[:at] + other + body[at + 1 :]
                length, codes = self._regions.match_at(changed, 0)
                if length > at and len(body) - length >= 2:
                    brand, industry = self._parser.split_industry(body[length:])
                    fixed = replace(parsed, region=changed[:length], region_codes=codes, brand=brand, industry=industry)
                    yield fixed, charge(self._policy, "region_misspelt", f"行政区划一字形近：{body[at]}／{other}")

    # Scoring

    def _score_variant(self, scored: dict[int, Scored], parsed: Parsed, paid: Difference) -> None:
        numbers = dict.fromkeys([*self._names.exact(parsed.body), *self._names.sounding(parsed.body)])
        if not numbers and len(parsed.brand) >= 2:
            numbers = dict.fromkeys(self._names.branded(parsed.brand)[:_BODIES])
        for number in numbers:
            self._score_body(scored, parsed, number, paid)

    def _score_body(self, scored: dict[int, Scored], parsed: Parsed, number: int, paid: Difference) -> None:
        theirs = self._names.split(number)
        body = compare_bodies((parsed.brand, parsed.industry), theirs, parsed.cut or not parsed.form, self._policy)
        if 1.0 - paid.cost - body.cost >= _HOPELESS:
            self._score_entries(scored, parsed, self._names.entries(number), paid + body)

    def _score_entries(
        self, scored: dict[int, Scored], parsed: Parsed, entries: Iterable[Entry], paid: Difference
    ) -> None:
        policy = self._policy
        misspelt = any(line in _MISSPELT for line, _ in paid.taken)
        for entry in entries:
            place = self._compare_places(parsed, entry)
            if misspelt and entry.place and entry.place not in parsed.region_codes:
                place += charge(policy, "brand_unplaced")
            if 1.0 - paid.cost - place.cost < _HOPELESS:
                continue
            form = compare_forms(parsed.form, entry.form, parsed.cut, policy)
            branch = compare_branches(parsed.branch, entry.branch, policy)
            former = charge(policy, "former_name", "为曾用名") if entry.former else SAME
            self._keep(scored, entry.firm, paid + place + form + branch + former, "fuzzy")

    def _keep(self, scored: dict[int, Scored], firm: int, paid: Difference, method: str) -> None:
        if 1.0 - paid.cost >= _HOPELESS:
            reasons = paid.reasons or ("名称各部分一致",)
            keep(scored, Scored(firm, 1.0 - paid.cost, reasons, method, taken=paid.taken))

    def _compare_places(self, parsed: Parsed, entry: Entry) -> Difference:
        """What the places cost."""
        policy, regions = self._policy, self._regions
        seat = self._seats[entry.firm]
        codes = parsed.region_codes
        if not codes:
            return charge(policy, "region_missing", "未写行政区划") if entry.place else SAME
        if entry.place in codes:
            return SAME
        known = entry.place or seat
        if not known:
            return charge(policy, "region_unverified", "登记住所不详")
        inner = seat if seat and regions.covers(known, seat) else known
        if not any(regions.compatible(code, inner) for code in codes):
            return charge(policy, "region_conflict", f"行政区划不同：{parsed.region}／{regions.name(inner)}")
        if entry.place:
            return charge(policy, "region_level", "行政区划层级不同")
        return charge(policy, "region_added", "行政区划与登记住所一致")

    # Latin names

    def _score_latin(self, scored: dict[int, Scored], text: str) -> None:
        for reading in self._reader().readings(squeeze_latin(text)):
            for number in self._reader().bodies(reading.brand):
                self._score_reading(scored, reading, number)

    def _score_reading(self, scored: dict[int, Scored], reading: LatinReading, number: int) -> None:
        brand, industry = self._names.split(number)
        paid = charge(self._policy, "pinyin", "拼音或英文写法")
        if not reading.trade:
            paid += charge(self._policy, "industry_missing")
        elif not english_matches(reading.trade, industry):
            if not (reading.at_words and reading.codes):
                return
            paid += charge(self._policy, "industry_garbled", f"行业“{reading.trade}”未能识别")
        parsed = Parsed("", reading.place, reading.codes, brand, industry, reading.form.replace("有限责任", "有限"))
        self._score_entries(scored, parsed, self._names.entries(number), paid)

    def _reader(self) -> LatinReader:
        if self._latin is None:
            brands = ((self._names.split(number)[0], number) for number in range(len(self._names)))
            self._latin = LatinReader(self._regions, (*self._policy.form_class, "有限责任公司"), brands)
        return self._latin


def squeeze_latin(text: str) -> str:
    """The letters of a name in lower case, words apart."""
    return " ".join(squeeze(part) for part in text.split())
