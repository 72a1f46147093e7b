"""The one place personal data are hidden, for every way out: page, API, export, log, alert, model features.

A mask replaces characters one for one, so spans found in the stored text hold in the masked text too. What merely
looks alike (order, batch, licence and credit numbers, a firm's own address) stays. Kept on purpose: the first three
and last four digits of a phone, the surname, the address down to the road, as domain.md §9.5 proposes (P).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Personal:
    """A piece of personal data found in a text: its kind, its span, and the offsets a mask hides."""

    kind: str  # phone | landline | id_card | bank_card | mail | plate | name | address | account
    start: int
    end: int
    hidden: tuple[int, ...]


def mask(text: str) -> str:
    """Return the text with personal data starred out; it has the same length, and masking it again changes nothing."""
    found = personal_data(text)
    if not found:
        return text
    characters = list(text)
    for item in found:
        for at in item.hidden:
            characters[at] = "*"
    return "".join(characters)


def personal_data(text: str) -> list[Personal]:
    """Return the personal data in `text`, in order of their place; a character belongs to at most one."""
    folded = text.translate(_FOLD)
    numerals = folded.translate(_NUMERALS)
    found: list[Personal] = []
    taken = bytearray(len(text))
    for finder in (
        _mails,
        _plain_numbers,
        _numbers,
        _plain_landlines,
        _landlines,
        _accounts,
        _plates,
        _names,
        _addresses,
    ):
        for item in finder(folded, numerals):
            if item.hidden and not any(taken[item.start : item.end]):
                found.append(item)
                taken[item.start : item.end] = b"\x01" * (item.end - item.start)
    return sorted(found, key=lambda item: item.start)


# Every folding keeps the length, so that a span means the same in all readings of the text.
_FOLD = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {
    0x3000: " ",
    0xA0: " ",
    0x2010: "-",
    0x2011: "-",
    0x2012: "-",
    0x2013: "-",
    0x2014: "-",
    0x2212: "-",
    0x200B: " ",
    0x2060: " ",
    0xFEFF: " ",
    0x00B7: "·",
    0x2022: "·",
    0x30FB: "·",
}
_NUMERALS = str.maketrans(
    "〇零○一壹二贰三叁四肆五伍六陆七柒八捌九玖幺两①②③④⑤⑥⑦⑧⑨⓪⑴⑵⑶⑷⑸⑹⑺⑻⑼❶❷❸❹❺❻❼❽❾贰陸貳參洞拐",
    "00011223344556677889912" + "1234567890" + "123456789" + "123456789" + "262307",
)

# --- numbers --------------------------------------------------------------------------------------------------------

_SEPARATOR = r"[ \-·._/]{0,2}"
_NUMBER_RUN = re.compile(
    rf"(?<![0-9A-Za-z])(?:\+?86{_SEPARATOR})?[0-9](?:{_SEPARATOR}[0-9]){{6,22}}[Xx]?(?![0-9A-Za-z])"
)
# What the number is said to be decides where its shape alone would not.
_OTHER_NUMBER = re.compile(
    r"订单|单号|编号|批号|批次|运单|快递|物流|流水|(?<!身份)证号|证书|许可|条码|货号|型号|备案|文号|执照|信用代码|代码|注册号|序列|规格|批准"
    r"|发票|合同|标准|样品|报告|投诉号|举报号|工单|SN|S/N|No\b|ID\b|GTIN|商品码|追溯码|防伪码|生产日期|日期|取件码|案号|金额|价格|基数|数量|库存|货值",
    re.IGNORECASE,
)
_PHONE_CUE = re.compile(r"电话|手机|联系|号码|致电|来电|拨打|回电|微信|热线|短信|tel|mobile|phone|电联", re.IGNORECASE)
_CARD_CUE = re.compile(
    r"银行卡|卡号|账号|帐号|账户|帐户|储蓄卡|信用卡|工行|农行|建行|中行|交行|招行|邮储|开户|收款|退款|打款|转账|转到"
)
_ID_CUE = re.compile(r"身份证|证件号|身份号|公民身份|ID ?card|身份証", re.IGNORECASE)
_CUE_REACH = 14
_CUE_CUT = re.compile(r"[0-9，,。;；\n]")


def _last_cue(text: str, start: int) -> str:
    """Return what the words just before `start` say the number is: other, phone, card, id, or '' for nothing.

    A cue belongs to the first number after it, so nothing before an earlier digit counts.
    """
    before = text[max(0, start - _CUE_REACH) : start]
    before = before[max(at + 1 for at in (-1, *(m.end() - 1 for m in _CUE_CUT.finditer(before)))) :]
    best, place = "", -1
    for name, pattern in (("other", _OTHER_NUMBER), ("phone", _PHONE_CUE), ("card", _CARD_CUE), ("id", _ID_CUE)):
        for found in pattern.finditer(before):
            if found.end() > place:
                best, place = name, found.end()
    return best


@dataclass(frozen=True, slots=True)
class _Number:
    """A number written in one or more groups of digits, and what the words before it say it is."""

    digits: str
    places: tuple[int, ...]
    cue: str

    def as_personal(self) -> Personal | None:
        """Return what it is, when it is personal."""
        kind = ""
        hidden: tuple[int, ...] = ()
        if self.cue != "other" and _MOBILE.fullmatch(self.digits):
            kind, hidden = "phone", self.places[-8:-4]
        elif _is_id_card(self.digits, self.cue):
            kind, hidden = "id_card", self.places[3:-1]
        elif _is_bank_card(self.digits, self.cue):
            kind, hidden = "bank_card", self.places[4:-4]
        return Personal(kind, self.places[0], self.places[-1] + 1, hidden) if kind else None


_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
_GROUP = re.compile(r"[0-9]+[Xx]?")
_LENGTHS = range(11, 20)


def _plain_numbers(folded: str, numerals: str) -> Iterator[Personal]:
    """Find numbers in Arabic digits alone: in 李四 138… the last character of a name is no digit of the number."""
    return _numbers(folded, folded)


def _numbers(folded: str, numerals: str) -> Iterator[Personal]:
    """Find phones, identity and bank cards in runs of digit groups, however the groups were cut.

    A run is read from its start, longest number first. After a number that is nothing personal only a whole one
    (seven digits or more) is stepped over: the inside of a longer number is not looked into.
    """
    for run in _NUMBER_RUN.finditer(numerals):
        groups = list(_GROUP.finditer(numerals, *run.span()))
        first = 0
        while first < len(groups):
            item, used = _read_number(folded, groups, first)
            if item is not None:
                yield item
            elif len(groups[first].group()) < 7:
                break
            first += used


def _read_number(folded: str, groups: list[re.Match[str]], first: int) -> tuple[Personal | None, int]:
    cue = _last_cue(folded, groups[first].start())
    digits = ""
    places: tuple[int, ...] = ()
    best: tuple[Personal | None, int] = (None, 1)
    for used, group in enumerate(groups[first:], start=1):
        digits += group.group()
        places += tuple(range(*group.span()))
        if len(digits) > _LENGTHS[-1]:
            break
        if len(digits) in _LENGTHS and (item := _Number(digits, places, cue).as_personal()) is not None:
            best = item, used
    return best


_LANDLINE = re.compile(
    r"(?<![0-9A-Za-z])\(?0(?:10|2\d|[3-9]\d{2})\)?[ -]?[2-9]\d{2,3}[ -]?\d{4}"
    r"(?:(?:-|转)\d{1,5})?(?![0-9A-Za-z])"
)
_LOCAL = re.compile(r"(?:电话|座机|致电|固话)[:： ]{0,2}([2-9]\d{6,7})(?![0-9A-Za-z])")


def _plain_landlines(folded: str, numerals: str) -> Iterator[Personal]:
    """As `_plain_numbers` is to `_numbers`."""
    return _landlines(folded, folded)


def _landlines(folded: str, numerals: str) -> Iterator[Personal]:
    for found in _LANDLINE.finditer(numerals):
        if _last_cue(folded, found.start()) != "other":
            places = [at for at in range(*found.span()) if numerals[at].isdigit()]
            yield Personal("landline", *found.span(), tuple(places[-6:-2]))
    for found in _LOCAL.finditer(numerals):
        yield Personal("landline", *found.span(1), tuple(range(found.start(1) + 2, found.end(1) - 2)))


# The two digits an identity number begins with: the provinces of GB/T 2260, and 83 for residence permits.
_PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for code in range(first, last + 1)
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _is_id_card(digits: str, cue: str) -> bool:
    """True for 18 digits with a province, a birthday and a right check digit; for a wrong one where a cue says so."""
    if len(digits) == 15 and cue == "id":
        return digits[:2] in _PROVINCES and _is_birthday("19" + digits[6:12])
    if len(digits) != 18 or digits[:2] not in _PROVINCES or not _is_birthday(digits[6:14]):
        return False
    check = "10X98765432"[sum(int(d) * w for d, w in zip(digits[:17], _ID_WEIGHTS, strict=True)) % 11]
    return cue == "id" or (check == digits[17].upper() and cue != "other")


def _is_birthday(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2030


_CARD_STARTS = re.compile(r"62|60|68|9[0-9]|4|5[1-5]|35|37|30")


def _is_bank_card(digits: str, cue: str) -> bool:
    """True for 15 to 19 digits said to be a card, or that begin and check as one and are said to be nothing else."""
    if not digits.isdigit() or not 15 <= len(digits) <= 19:
        return False
    return cue == "card" or (cue not in ("other", "id") and bool(_CARD_STARTS.match(digits)) and _passes_luhn(digits))


def _passes_luhn(digits: str) -> bool:
    doubled = (int(d) * 2 if at % 2 else int(d) for at, d in enumerate(reversed(digits)))
    return len(digits) >= 16 and sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


_ACCOUNT = re.compile(
    r"(?:微信号?|vx|v信|薇信|wechat|QQ号?|扣扣|支付宝)(?:是|为|号)?[:： ]{0,3}"
    r"([A-Za-z][A-Za-z0-9_\-]{5,19}|[1-9]\d{4,10})(?![A-Za-z0-9_\-])",
    re.IGNORECASE,
)


def _accounts(folded: str, numerals: str) -> Iterator[Personal]:
    for found in _ACCOUNT.finditer(folded):
        yield Personal("account", *found.span(1), tuple(range(found.start(1) + 2, found.end(1))))


# --- mails and plates -----------------------------------------------------------------------------------------------

_AT = r"(?: ?@ ?| ?[(\[{]at[)\]}] ?| ?艾特 ?| ?#at# ?)"
_DOT = r"(?: ?\. ?| ?[(\[{]dot[)\]}] ?|点)"
_MAIL = re.compile(
    rf"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9][A-Za-z0-9._%+\-]{{0,63}}{_AT}[A-Za-z0-9\-]{{1,63}}(?:{_DOT}[A-Za-z0-9\-]{{1,30}}){{0,3}}{_DOT}(?:[A-Za-z]{{2,10}})(?![A-Za-z0-9\-])",
    re.IGNORECASE,
)


_LOCAL_PART = re.compile(r"[A-Za-z0-9._%+\-]")


def _mails(folded: str, numerals: str) -> Iterator[Personal]:
    for found in _MAIL.finditer(folded):
        start, end = found.span()
        local = next(at for at in range(start, end) if not _LOCAL_PART.match(folded[at]))
        yield Personal("mail", start, end, tuple(range(start + 1, local)) or (start,))


_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼] ?([A-HJ-NP-Z])[·. \-]{0,2}"
    r"((?=[A-HJ-NP-Z0-9]{0,5}[0-9])[A-HJ-NP-Z0-9]{5,6}|[A-HJ-NP-Z0-9]{4}[挂学警])(?![A-Za-z0-9\-])",
    re.IGNORECASE,
)


def _plates(folded: str, numerals: str) -> Iterator[Personal]:
    for found in _PLATE.finditer(folded):
        if _last_cue(folded, found.start()) != "other":
            yield Personal("plate", *found.span(), tuple(range(found.start(2), found.end(2) - 1)))


# --- names ----------------------------------------------------------------------------------------------------------

_COMPOUND = "欧阳|上官|司马|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|端木|南宫|独孤|长孙|宇文|轩辕"
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛奚范彭郎鲁韦昌马苗凤花俞袁柳酆鲍史唐"
    "费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝"
    "董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉"
    "钮龚程嵇邢滑裴陆荣翁荀羊於惠甄曲家封芮羿储靳汲邴糜松井段富巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景"
    "詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩桑桂濮牛寿通边扈燕冀"
    "浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛"
    "阚那简饶空曾毋沙乜养鞠须丰巢关蒯相查后荆红游竺权逯盖益桓公仉督岳帅缑亢况郈有琴商牟佘佴伯赏南宫墨哈谯笪年爱阳佟言福肖覃仝撒"
    "闫涂代付苟鹿邸门卿候原"
)
# Surnames that are also everyday words begin a name only behind a colon or "我叫".
_EVERYDAY = frozenset(
    "于时和成计支管经解应单都从有年爱能向高安平明常全通关公相后须那空别须言要家强方水国文广东南益养满终简商"
)
_NAME = (
    rf"(?:(?:{_COMPOUND}) ?[\u4e00-\u9fff](?: ?[\u4e00-\u9fff])?|[{_SURNAMES}] ?[\u4e00-\u9fff](?: ?[\u4e00-\u9fff])?)"
)
_PEOPLE = (
    "投诉人|举报人|消费者|申请人|反映人|被害人|受害人|伤者|患者|业主|购买者|购买人|买家|当事人|诉求人|来电人|家长|顾客|市民|用户|车主"
    "|监护人|死者|客户"
)
_LABEL = (
    r"姓 ?名|联 ?系 ?人|收[件货] ?人|机主|户名|开户名|持卡人|经办人|法定代表人|负责人|签收人|报案人|投诉者|举报者|"
    + _PEOPLE
)
_AFTER_LABEL = re.compile(rf"(?:{_LABEL})(?:姓名|名字)?(?: ?[:：=] ?|是|为|叫|  ?)({_NAME})")
_AFTER_I_AM = re.compile(rf"(?:我叫|本人叫|我的名字叫|我的名字是|名叫|我是(?=[^，。]{{2,4}}[，,。]))({_NAME})")
_AFTER_PERSON = re.compile(rf"(?:{_PEOPLE}|本人|联系人)({_NAME})")
_TITLED = re.compile(rf"({_NAME})(?=先生|女士|小姐|同志)")
_NAME_ENDS = re.compile(
    r"\Z|[^\u4e00-\u9fff]|先生|女士|小姐|同志|反映|反应|称|说|电话|手机|于|在|来电|投诉|举报|购买|买|向|因|的|男|女|身份证|联系|住|从|到|通过|发现|使用|和|与"
    r"|认为|表示|要求|诉求|提供|今年|现|被|将|家|收|本人|花费|网购|下单|骑|用|把|去|已|受伤|被困|烧伤|系|微信|告|给"
)
_NOT_NAMES = re.compile(
    r"公司|单位|部门|客服|商家|店铺|老板|厂家|平台|物业|女士|先生|小姐|权益|协会|委员|自己|本人|匿名|保密|不详|未知|无$|同上|电话|手机|姓名|负责|经理|师傅|高度|关注|关心|应当|时候|"
    r"经常|都是|从未|有关|有权|有人|有的|能否|向商|向平|和商|和店|全部|通过|平时|安全|明确|成功|计划|支付|管理|解决|单独|年龄|年纪|相关|那个|别人|要求|方面|家属|家里|国家"
)


def _names(folded: str, numerals: str) -> Iterator[Personal]:
    for pattern, strict in ((_AFTER_LABEL, False), (_AFTER_I_AM, False), (_AFTER_PERSON, True), (_TITLED, True)):
        for found in pattern.finditer(folded):
            name = _name_at(folded, found.start(1), strict, titled=pattern is _TITLED)
            if name is not None:
                start, end = name
                surname = 2 if re.match(_COMPOUND, folded[start:end]) else 1
                hidden = tuple(at for at in range(start + surname, end) if folded[at] != " ")
                yield Personal("name", start, end, hidden)


def _name_at(text: str, start: int, strict: bool, *, titled: bool) -> Span | None:
    """Return the span of a name of two to four characters that begins at `start` and ends where a name can end."""
    if strict and text[start] in _EVERYDAY:
        return None
    characters = [at for at in range(start, min(len(text), start + 8)) if text[at] != " "][:4]
    compound = re.match(_COMPOUND, text[start : start + 2]) is not None
    for length in (4, 3) if compound else (3, 2):
        if len(characters) < length:
            continue
        end = characters[length - 1] + 1
        word = text[start:end]
        if not all("\u4e00" <= text[at] <= "\u9fff" for at in characters[:length]) or _NOT_NAMES.search(word):
            continue
        if titled:
            if re.match("先生|女士|小姐|同志", text[end:]) and (
                start == 0 or not "\u4e00" <= text[start - 1] <= "\u9fff"
            ):
                return start, end
            continue
        if _NAME_ENDS.match(text, end):
            return start, end
    return None


# --- home addresses -------------------------------------------------------------------------------------------------

_HOME_CUE = re.compile(
    r"(?:家庭住址|现住址|住址|家庭地址|收货地址|收件地址|居住地址|居住地|居住在|居住于|家住在?|我住在?|住在|户籍地址|户籍地|户籍|租住在?"
    r"|送货地址|常住地址|本人住)(?: ?[:：] ?|是|为)?"
)
_HOME_REST = re.compile(r"[^，,。;；\n!！?？、:：|()（）]{4,60}")
_KEPT = re.compile(r"^(?:[^路街道巷]{0,24}?(?:自治区|省|市|自治州|地区|区|县|旗|镇|乡|街道))+|^")
_ROAD = re.compile(r"^[\u4e00-\u9fff0-9]{1,12}?(?:大道|路|街|巷|胡同|弄)")
_COUNT = r"(?:[0-9A-Za-z]{1,4}|[一二三四五六七八九十]{1,3})"
_DOOR = re.compile(
    rf"{_COUNT} ?(?:号楼|幢|栋|座|#楼|号院|区)[ \-]?(?:(?:{_COUNT}|[东西中]) ?(?:单元|门) ?[ \-]?)?"
    r"(?:[0-9]{1,2} ?[层楼] ?)?[0-9]{2,4} ?(?:室|户|号房|号)?(?![0-9A-Za-z])"
    rf"|{_COUNT} ?单元 ?[0-9]{{2,4}} ?(?:室|户|号)?(?![0-9A-Za-z])"
)
_HOME_PLACE = re.compile(
    r"小区|花园|家园|公寓|新村|苑|花城|里|庭|府|宿舍|家属院|嘉园|佳园|名城|华庭|社区|村|公馆|豪庭|雅居|坊|城|湾|郡|院|居"
)
_WORK_PLACE = re.compile(
    r"大厦|写字楼|商务|市场|广场|工业|产业|科技|厂|公司|商场|门店|店|中心|仓|物流|经营部|商行|交易|园区|批发"
)


def _addresses(folded: str, numerals: str) -> Iterator[Personal]:
    for cue in _HOME_CUE.finditer(folded):
        rest = _HOME_REST.match(folded, cue.end())
        if rest is None or not re.search(
            r"[0-9路街巷村弄]|小区|单元|室|[一二三四五六七八九十]号|花园|苑|组|社|公寓", rest.group()
        ):
            continue
        start = rest.start()
        kept = start + len((_KEPT.match(rest.group()) or [""])[0])
        road = _ROAD.match(folded[kept : rest.end()])
        kept += road.end() if road else 0
        yield Personal("address", start, rest.end(), tuple(range(kept, rest.end())))
    for door in _DOOR.finditer(folded):
        before = folded[max(0, door.start() - 16) : door.start()]
        before = re.split(r"[，,。;；\n:： ]", before)[-1]
        if _HOME_PLACE.search(before) and not _WORK_PLACE.search(before):
            yield Personal("address", *door.span(), tuple(range(*door.span())))
