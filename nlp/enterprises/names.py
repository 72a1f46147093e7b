"""Taking a name apart: 行政区划 + 字号 + 行业 + 组织形式, with branch, brackets and what was glued to it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nlp.enterprises.characters import fold, relation
from nlp.enterprises.policy import NamePolicy, load_name_policy, words
from nlp.enterprises.types import NameParts
from nlp.regions import RegionIndex, shipped_index

_NOISE = re.compile(r"[^0-9a-z\u4e00-\u9fff()&]+")
_BRACKET = re.compile(r"\(([^()]*)\)")
_PLAIN = re.compile("(?!关于)[\u4e00-\u9fff()]*[^等]")
_SPACE = re.compile(r"\s+")
_NUMBERED = re.compile(r"^[(]?\d{1,3}[)、．.]\s*|^[①-⑳]\s*")
_LABEL = re.compile(
    "^[\u4e00-\u9fff]{0,10}?(?:企业|单位|商家|商|者|方|厂家|厂商|公司|主体|名称|全称|厂名|店名|当事人|厂家):"
    "|^(?:生产|制造|加工|销售|经销|供货|出品|监制|分装|委托|受托|标称)(?::|(?:企业|单位|厂家|商|者|方)/)"
)
_ABOUT = re.compile("^关于(.{4,})的(?:投诉|举报|来信|反映|问题|情况)$")
_AND_OTHERS = re.compile("(?<=[司厂店部行社])等$")
_PHONE = re.compile(
    r"(?:联系电话|电话|手机|tel)?\s*[:：]?\s*(?<!\d)(?:1\d{10}|0\d{2,3}-?\d{7,8}|400-?\d{3}-?\d{4})(?!\d)"
)
_ROLE_NOTE = re.compile(
    "(?:标称|生产|制造|委托|受托|被委托|被抽样|受检|被检|销售|经营|供货|被投诉|出品|监制|委托加工|分装|进口|代理|自产|自产自销)"
    "(?:企业|单位|商家|商|者|方|厂家|厂商|公司|生产)*|标称|生产|委托|受托|盖章|公章|原件|复印件|略|已?注销|已?吊销|存续|在业|开业"
)
_PERSON_TITLE = re.compile("^(?:法定代表人|法人代表|法人|负责人|经营者|联系人|经办人|业主|老板|店主|个体工商户|个体户)")
_ADDRESS_END = re.compile(
    r"^.*?\d+(?:号|弄|室|幢|栋|楼|层|组|队|之\d+)+(?:[a-z0-9\-]*(?:号|室|幢|栋|楼|层|座|单元|厂房|门面))*"
    "|^.*?(?:工业园区?|工业区|开发区|产业园)"
)
_ADDRESS_HINT = re.compile(r"\d|[路街巷弄村镇乡]|工业|园区|大道|开发区")
_FORM_INSIDE = re.compile(
    "厂|商行|经营部|合作社|集团|门市部|批发部|销售部|服务部|商店|专卖店|便利店|超市|商场|市场|药店|店|餐厅|饭店|酒楼|作坊|加工坊|商铺|养殖场"
)
_LONG_FORMS = ("集团有限公司", "股份有限公司", "有限公司", "专业合作社", "合作社", "经营部", "门市部")
_TOWN = re.compile(r"^[\u4e00-\u9fff]{2,3}?(?:街道|镇|乡)(?=[\u4e00-\u9fff]{3})")
_CUT_FORMS = ("有限责任公", "有限责任", "有限责", "股份有限公", "股份有限", "股份有", "有限公", "有限", "股份", "有")
_FORM_WORDS = (("有限责任公司", "有限公司"), ("有限责任", "有限"), ("(集团)", "集团"), ("责任有限公司", "有限公司"))


@dataclass(frozen=True, slots=True)
class Parsed:
    """A name in parts, as the resolver compares them."""

    key: str
    region: str  # the place words of the name, '' when it has none
    region_codes: tuple[str, ...]  # every adcode they can mean
    brand: str
    industry: str
    form: str
    branch: str = ""
    extra: str = ""
    cut: bool = False  # ends in the middle of a form
    person: str = ""
    aside: str = ""  # what stood in brackets and is no place, form or person

    @property
    def body(self) -> str:
        """字号 + 行业."""
        return self.brand + self.industry


def squeeze(name: str) -> str:
    """`name` folded, without spaces and signs; brackets stay."""
    folded = fold(name)
    return _NOISE.sub("", folded) if _NOISE.search(folded) else folded


def name_key(name: str) -> str:
    """The key under which two spellings of a full name are the same: width, case, brackets, spaces, signs,
    traditional characters, and 有限责任公司 for 有限公司 make no difference."""
    return _canonical(squeeze(name)).replace("(", "").replace(")", "")


def is_person(text: str) -> bool:
    """True when two or three characters look like a person's name."""
    return 2 <= len(text) <= 3 and text[0] in words().surnames and text[-1] not in "店厂部行社"


class NameParser:
    """Takes names apart with a division table and a policy. Holds no state that parsing changes."""

    def __init__(
        self,
        regions: RegionIndex | None = None,
        policy: NamePolicy | None = None,
        industries: frozenset[str] = frozenset(),
    ) -> None:
        self.regions = regions or shipped_index()
        self.policy = policy or load_name_policy()
        self._forms = tuple(sorted(self.policy.form_class, key=len, reverse=True))
        self._form_ends: dict[str, tuple[str, ...]] = {}
        for form in self._forms:
            self._form_ends[form[-1]] = (*self._form_ends.get(form[-1], ()), form)
        self._industries = self.policy.industries | industries
        self._longest = max(map(len, self._industries))

    def parse(self, name: str) -> Parsed:
        """The parts of `name`. Never fails: what cannot be told apart is left in the 字号."""
        text = _canonical(squeeze(_bare(fold(name))))
        key = text.replace("(", "").replace(")", "")
        codes: tuple[str, ...] = ()
        place, inner, form_in_bracket, person, aside = "", text, "", "", ""
        if "(" in text:
            inner, place, codes, form_in_bracket, person, aside = self._open_brackets(text)
        head, form, branch, extra, cut = self._cut_tail(self._read_form(inner))
        form = form or form_in_bracket
        front, front_codes, rest = self._front_place(head)
        if front:
            if place and codes:
                below = tuple(c for c in codes if any(self.regions.compatible(f, c) for f in front_codes))
                if below:
                    codes, place = below, front + place
                else:
                    rest = head  # 永康万(宁国)涂料: the place is in the brackets, 永康 belongs to the 字号
            else:
                codes, place = front_codes, front
        brand, industry = self.split_industry(rest)
        return Parsed(key, place, codes, brand, industry, form, branch, extra, cut, person, aside)

    def parts(self, name: str) -> NameParts:
        """The parts of `name` for showing."""
        parsed = self.parse(name)
        return NameParts(
            regions=(parsed.region,) if parsed.region else (),
            brand=parsed.brand,
            industry=parsed.industry,
            form=parsed.form,
            branch=parsed.branch,
            key=parsed.key,
            extra={k: v for k, v in (("tail", parsed.extra), ("person", parsed.person)) if v},
        )

    def split_industry(self, rest: str) -> tuple[str, str]:
        """(字号, 行业): the run of industry words at the end, leaving at least two characters of 字号."""
        words = self._industries
        end = len(rest)
        while end > 3:
            for length in range(min(self._longest, end - 2), 1, -1):
                if rest[end - length : end] in words:
                    end -= length
                    break
            else:
                break
        return rest[:end], rest[end:]

    def is_industry(self, text: str) -> bool:
        """True when `text` is nothing but industry words."""
        return not self._brand_left(text)

    def industry_at(self, text: str, at: int) -> int:
        """The length of the industry word that starts at `at`, 0 when there is none."""
        for length in range(min(self._longest, len(text) - at), 1, -1):
            if text[at : at + length] in self._industries:
                return length
        return 0

    def word_at(self, text: str, at: int) -> int:
        """The length of the industry word or place that starts at `at`, 0 when there is none."""
        return self.industry_at(text, at) or self.regions.match_at(text, at)[0]

    def begins_form(self, text: str) -> bool:
        """True when an organisational form begins like this and goes on."""
        return any(form.startswith(text) and form != text for form in self._forms)

    def form_class(self, form: str) -> str:
        """company, factory, shop …; '' for no form."""
        return self.policy.form_class.get(form, "")

    def _open_brackets(self, text: str) -> tuple[str, str, tuple[str, ...], str, str, str]:
        place, form, person, aside = "", "", "", ""
        codes: tuple[str, ...] = ()
        for content in _BRACKET.findall(text):
            whole = f"({content})"
            length, found = self.place_chain(content)
            if content and length == len(content):
                place, codes = content, found
                text = text.replace(whole, "", 1)
            elif _ROLE_NOTE.fullmatch(content):
                text = text.replace(whole, "", 1)
            elif content in self.policy.form_class:
                form = form or content
                text = text.replace(whole, "", 1)
            elif text.endswith(whole) and (
                is_person(content) or _PERSON_TITLE.match(content) or content.startswith("原")
            ):
                person = content
                text = text.replace(whole, "", 1)
            elif text.endswith(whole) and length >= 2 and _ADDRESS_HINT.search(content[length:]):
                text = text.replace(whole, "", 1) + content
            else:
                aside = content
        return text.replace("(", "").replace(")", ""), place, codes, form, person, aside

    def _cut_tail(self, text: str) -> tuple[str, str, str, str, bool]:
        """(before the form, form, branch, what follows, ends inside a form)."""
        at = text.find("公司")
        if at >= 0:
            if text[at - 1 : at] == "分":
                start = max(text.rfind(mark, 0, at) for mark in ("厂", "集团", "店"))
                return (
                    text[: start + 1] if start > 2 else text,
                    "",
                    text[start + 1 :] if start > 2 else "分公司",
                    "",
                    False,
                )
            head, tail = text[: at + 2], text[at + 2 :]
            branch, extra = "", tail
            if tail:
                branch = tail if self._is_branch(tail) else ""
                extra = "" if branch else tail
            head, dropped = self._drop_address(head)
            before, form = self._strip_form(head)
            return before, form, branch, dropped + extra, False
        before, form = self._strip_form(text)
        if form:
            before, dropped = self._drop_address(before)
            if form == "集团" or form[-1] not in "店部":
                return before, form, "", dropped, False
            mark = max(before.find("厂"), before.find("集团"))
            if mark > 2 and len(text) - mark > 3:
                width = 2 if before.startswith("集团", mark) else 1
                return before[:mark], before[mark : mark + width], text[mark + width :], "", False
            return before, form, "", dropped, False
        for cut in _CUT_FORMS:
            if text.endswith(cut) and len(text) - len(cut) >= 3:
                form = cut.replace("有限责任", "有限").replace("有限责", "有限")
                before = text[: -len(cut)]
                group = "集团" if before.endswith("集团") and len(before) > 4 else ""
                return before.removesuffix(group), group + form, "", "", True
        for inside in _FORM_INSIDE.finditer(text, 3):
            rest = text[inside.end() :]
            if self._is_note(rest):
                before, form = self._strip_form(text[: inside.end()])
                return before, form, "", rest, False
        text, dropped = self._drop_address(text)
        return text, "", "", dropped, False

    def _is_note(self, rest: str) -> bool:
        """True for what may be glued to a name's end: a person, an address, a place."""
        if len(rest) < 2 or rest.startswith(("有限", "股份")):
            return False
        noted = is_person(rest) or _PERSON_TITLE.match(rest) or _ADDRESS_HINT.search(rest)
        return bool(noted) or self.place_chain(rest)[0] == len(rest)

    def _read_form(self, text: str) -> str:
        """`text` with a form at its end put right that was misread in one character: 有根公司, 隼团, 有限云司."""
        if text.endswith(_LONG_FORMS):
            return text
        for form in _LONG_FORMS:
            tail = text[-len(form) :]
            wrong = [at for at, (a, b) in enumerate(zip(tail, form, strict=False)) if a != b]
            if len(wrong) != 1 or len(text) - len(form) < 3:
                continue
            alike = relation(tail[wrong[0]], form[wrong[0]]) in ("look_alike", "homophone")
            if alike or form == "有限公司":
                return text[: -len(form)] + form
        return text

    def _is_branch(self, tail: str) -> bool:
        """True for what stands behind a company's form and is a unit of its own: 打浦路分公司, 怀柔酿造厂."""
        if tail.endswith(("分公司", "分店", "分厂", "支行", "分行")):
            return True
        named = tail.endswith(self.policy.branches) or bool(self._strip_form(tail)[1])
        return named and not any(char.isdigit() for char in tail) and not _ADDRESS_HINT.search(tail[:-3])

    def _strip_form(self, text: str) -> tuple[str, str]:
        for form in self._form_ends.get(text[-1:], ()):
            if text.endswith(form) and len(text) - len(form) >= 2:
                before = text[: -len(form)]
                if form == "工厂" and before[-1:] + "工" in self._industries:
                    continue  # 化工厂 is 化工 + 厂
                if before.endswith("集团") and len(before) > 4:
                    return before[:-2], "集团" + form
                if before.endswith("股份") and len(before) > 4:
                    return before[:-2], "股份" + form
                return before, form
        return text, ""

    def _drop_address(self, text: str) -> tuple[str, str]:
        """(the name that stands after a glued address, that address); (text, "") when there is none."""
        if not any(sign in text for sign in "0123456789号室园区"):
            return text, ""
        found = _ADDRESS_END.match(text)
        if (
            found
            and len(self._strip_form(text[found.end() :])[0]) >= 3
            and _ADDRESS_HINT.search(found[0])
            and len(found[0]) >= 6
        ):
            return text[found.end() :], found[0]
        return text, ""

    def place_chain(self, text: str, at: int = 0) -> tuple[int, tuple[str, ...]]:
        """How far the place words that start at `at` reach, and the adcodes they can mean."""
        start = at
        codes: tuple[str, ...] = ()
        while True:
            length, found = self.regions.match_at(text, at)
            if not length:
                return at - start, codes
            if codes:
                found = tuple(
                    c
                    for c in found
                    if any(c in self.regions.ancestors(c) and p in self.regions.ancestors(c) for p in codes)
                )
                if not found:
                    return at - start, codes
            codes, at = found, at + length

    def _front_place(self, text: str) -> tuple[str, tuple[str, ...], str]:
        """(place words, codes, rest) of the part before the form."""
        at = 2 if text.startswith("中国") and self.regions.match_at(text, 2)[0] else 0
        codes: tuple[str, ...] = ()
        while len(text) - at > 3:
            length, found = self.regions.match_at(text, at)
            if not length:
                break
            word = text[at : at + length]
            if codes:
                found = tuple(c for c in found if any(p != c and p in self.regions.ancestors(c) for p in codes))
                if not found:
                    break
            left = len(text) - at - length
            if left < 2 or (word[-1] not in "省市县区" and not self._brand_left(text[at + length :])):
                break
            codes, at = found, at + length
        if at:
            town = _TOWN.match(text[at:])
            if town and self._brand_left(text[at + town.end() :]):
                return text[:at], codes, text[at + town.end() :]
        return text[:at], codes, text[at:]

    def _brand_left(self, rest: str) -> bool:
        """True when `rest` is more than an industry: 长兴 of 长兴电器厂 is its 字号, not a county."""
        words = self._industries
        end = len(rest)
        while end:
            for length in range(min(self._longest, end), 1, -1):
                if rest[end - length : end] in words:
                    end -= length
                    break
            else:
                return True
        return False


def learn_industries(names: Sequence[str], parser: NameParser) -> frozenset[str]:
    """Trades the shipped list does not have: endings that many different 字号 of these names share."""
    endings: dict[str, set[str]] = {}
    for name in names:
        brand = parser.parse(name).brand
        for length in range(2, min(5, len(brand) - 1)):
            endings.setdefault(brand[-length:], set()).add(brand[:-length])
    enough = max(12, len(names) // 1500)
    return frozenset(ending for ending, before in endings.items() if len(before) >= enough)


def _bare(text: str) -> str:
    """A folded name without number, label, telephone, and without 关于 … 的投诉 around it."""
    if _PLAIN.fullmatch(text):
        return text
    text = _LABEL.sub("", _NUMBERED.sub("", _SPACE.sub("", text)))
    about = _ABOUT.match(text)
    return _AND_OTHERS.sub("", _PHONE.sub("", about[1] if about else text))


def _canonical(text: str) -> str:
    for old, new in _FORM_WORDS:
        if old in text:
            text = text.replace(old, new)
    return text
