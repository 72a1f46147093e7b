"""The register: answers whose name a query is, and finds its firms in text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from nlp.enterprises.characters import look_alikes
from nlp.enterprises.codes import is_uscc, normalise_uscc
from nlp.enterprises.deciding import Decider
from nlp.enterprises.mentions import MentionFinder
from nlp.enterprises.names import NameParser, learn_industries, name_key, split_names, squeeze
from nlp.enterprises.names_index import Entry, NamesIndex, Numbers
from nlp.enterprises.policy import NamePolicy, load_name_policy, words
from nlp.enterprises.search import Search
from nlp.enterprises.types import Candidate, Decision, Firm, NameSpan, Query, Resolution
from nlp.regions import RegionIndex, shipped_index

_SCANNED_ALIAS = 3  # shortest alias looked for in text
_SCANNED_BARE = 6  # shortest name without its form looked for in text
_SAMPLE = 30_000  # names from which the trades of a register are learnt


class Register:
    """Every registered firm by its names. Built once; `add` makes a new firm findable at once."""

    def __init__(
        self,
        firms: Iterable[Firm],
        regions: RegionIndex | None = None,
        policy: NamePolicy | None = None,
    ) -> None:
        self.regions = regions or shipped_index()
        self.policy = policy or load_name_policy()
        firms = list(firms)
        own = learn_industries([firm.name for firm in firms[:: len(firms) // _SAMPLE + 1]], NameParser(self.regions))
        self._parser = NameParser(self.regions, self.policy, own)
        self._firms: list[Firm] = []
        self._places: list[str] = []  # adcode of each firm's seat, '' unknown
        self._by_code: dict[str, int] = {}
        self._by_key = Numbers()
        self._aliases: dict[str, list[tuple[int, str]]] = {}
        self._names = NamesIndex()
        self._finder: MentionFinder | None = None
        self._by_id: dict[str, int] | None = None
        for firm in firms:
            self._put(firm)
        self._names.seal()
        look_alikes()  # read now: the first query should not pay for it
        self._search = Search(self._names, self._aliases, self._by_key, self._places, self._parser, self._firms)
        self._decider = Decider(self._firms, self._places, self.regions, self.policy)

    def __len__(self) -> int:
        return len(self._firms)

    def add(self, firm: Firm) -> None:
        """Make a new firm findable; nothing is rebuilt."""
        for body in self._put(firm):
            self._search.added(body)
        self._by_id = None
        if self._finder is not None:
            self._finder.add(self._spellings(firm), len(self._firms) - 1)

    def firm(self, firm_id: str) -> Firm:
        """The firm of an id; raises KeyError when there is none."""
        if self._by_id is None:
            self._by_id = {firm.id: position for position, firm in enumerate(self._firms)}
        return self._firms[self._by_id[firm_id]]

    def knows(self, name: str) -> bool:
        """Whether some firm bears this very name, now or formerly, or has it as a short name or brand."""
        key = name_key(name)
        return bool(self._by_key.get(key)) or key in self._aliases

    def place_of(self, name: str) -> str | None:
        """The adcode the place words of a name stand for, None when it has none or they are ambiguous."""
        codes = self._parser.parse(name).region_codes
        return codes[0] if len(codes) == 1 else None

    def resolve(self, query: Query) -> Resolution:
        """Whose name it is. An invalid code is flagged and not used; a valid registered one decides alone."""
        flags: tuple[str, ...] = ()
        code = normalise_uscc(query.uscc) if query.uscc else ""
        if code and not is_uscc(code):
            code, flags = "", ("uscc_invalid",)
        if code and code in self._by_code:
            firm = self._firms[self._by_code[code]]
            reasons = ("统一社会信用代码一致",)
            return Resolution(
                "link", (firm.id,), (Candidate(firm.id, 1.0, reasons),), 1.0, "uscc", reasons, flags=flags
            )
        if squeeze(query.text) in words().no_name or len(squeeze(query.text)) < 2:
            return Resolution("none", (), (), 0.0, "none", ("没有可用的名称",), flags=flags)
        several = None if self._by_key.get(name_key(query.text)) else self._resolve_several(query, code)
        found = several if several and several.decision != "none" else self._resolve_name(query, code)
        return replace(found, flags=flags) if flags else found

    # Building

    def _put(self, firm: Firm) -> list[int]:
        """Index a firm; returns the bodies that were new."""
        position = len(self._firms)
        self._firms.append(firm)
        seat = self.regions.canonical(firm.region_code) or ""
        if firm.uscc and is_uscc(firm.uscc):
            self._by_code.setdefault(firm.uscc, position)
        if not seat and firm.address:
            places = self.regions.locate(firm.address)
            seat = (places[0].code if places else None) or ""
        self._places.append(seat)
        new: list[int] = []
        for name in (firm.name, *firm.former_names):
            parsed = self._parser.parse(name)
            if not parsed.key:
                continue
            # Most names are their own key: one string is kept, not two.
            self._by_key.add(name if parsed.key == name else parsed.key, position)
            place = self._entry_place(parsed.region_codes, seat)
            body = self._names.add(parsed, Entry(position, place, parsed.form, parsed.branch, name != firm.name))
            if body is not None:
                new.append(body)
        for kind, names in (("short", firm.short_names), ("brand", firm.brands)):
            for name in names:
                key = name_key(name)
                if len(key) >= 2:
                    self._aliases.setdefault(key, []).append((position, kind))
        return new

    def _entry_place(self, codes: Sequence[str], seat: str) -> str:
        if not codes:
            return ""
        if seat:
            for code in codes:
                if self.regions.compatible(code, seat):
                    return code
        return codes[0]

    def _resolve_name(self, query: Query, code: str) -> Resolution:
        parsed = self._parser.parse(query.text)
        wide = bool(query.region or query.context) and not parsed.region
        scored = list(self._search.find(query.text, parsed, wide).values())
        return self._decider.decide(query, code, parsed, scored)

    def _resolve_several(self, query: Query, code: str) -> Resolution | None:
        """Two names in one cell (委托方 and 受托方, A、B): both, when each is somebody's; None for one name."""
        parts = split_names(query.text)
        if len(parts) < 2:
            return None
        found = [self._resolve_name(replace(query, text=part), "") for part in parts]
        linked = [f for f in found if f.decision == "link"]
        ids = tuple(dict.fromkeys(i for f in linked for i in f.ids))
        reasons = ("一处写有多家企业", *(r for f in found for r in f.reasons))
        candidates = tuple(c for f in found for c in f.candidates[:3])
        score = min(f.score for f in found)
        if len(linked) == len(found):
            return Resolution("link", ids, candidates, score, linked[0].method, reasons)
        if linked and all(f.decision == "none" for f in found if f not in linked):
            return Resolution("link", ids, candidates, score, linked[0].method, reasons, review=True)
        decision: Decision = "ambiguous" if linked or any(f.decision == "ambiguous" for f in found) else "none"
        return Resolution(decision, (), candidates, score, found[0].method, reasons, review=decision == "ambiguous")

    # Finding names in text

    def mentions(self, text: str) -> list[NameSpan]:
        """The firms named in `text`, registered or not, in order and without overlap."""
        return self._scanner().find(text)

    def _scanner(self) -> MentionFinder:
        if self._finder is None:
            self._finder = MentionFinder(
                self._patterns(), self._parser, self.resolve, lambda position: self._firms[position].id
            )
        return self._finder

    def _patterns(self) -> Iterator[tuple[str, int]]:
        """What is scanned for, with its firm: full names, names without their form, short names and brands."""
        for position, firm in enumerate(self._firms):
            for spelling in self._spellings(firm):
                yield spelling, position

    def _spellings(self, firm: Firm) -> Iterator[str]:
        """An alias of two characters is too often an ordinary word; so is one that is nothing but a trade."""
        yield from (firm.name, *firm.former_names)
        parsed = self._parser.parse(firm.name)
        if parsed.region and parsed.form and parsed.industry and not parsed.branch:
            bare = squeeze(firm.name).removesuffix(parsed.form)
            if len(bare) >= _SCANNED_BARE:
                yield bare
        for name in (*firm.short_names, *firm.brands):
            plain = squeeze(name)
            if len(plain) >= _SCANNED_ALIAS and not self._parser.is_industry(plain):
                yield name
