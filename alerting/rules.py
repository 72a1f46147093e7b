"""Which changes are worth telling: pure rules over what was observed, one draft alert a cause.

Every draft has a `cause_key` made of the facts themselves, so the rule may run any number of times. No draft holds
text of a complaint or post: ids, counts and short reasons only. Low-trust sources alone raise nothing that is sent.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from alerting.observed import BatchResult, ModelFailure, Observed, Report, Voice
from alerting.policy import COLOURS, AlertPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDraft:
    """One change worth telling. `evidence` are signal ids; `reasons` Chinese sentences with the numbers."""

    rule: str
    cause_key: str
    colour: str
    title: str
    reasons: tuple[str, ...]
    region_code: str | None
    enterprise_id: int | None = None
    product_id: str | None = None
    evidence: tuple[int, ...] = ()
    deliver: bool = True


def detect(observed: Observed, policy: AlertPolicy, as_of: date) -> list[AlertDraft]:
    """Return the alerts the policy asks for on a day, gravest first; the same facts give the same cause keys."""
    looking = _Looking(observed, policy, as_of)
    rules = {
        "A01": looking.casualties,
        "A02": looking.spread,
        "A03": looking.verified_hazard,
        "A04": looking.county_rate,
        "A05": looking.abroad,
        "A06": looking.repeated_failure,
        "A07": looking.complaint_wave,
        "A08": looking.permit_end,
        "A09": looking.lone_post,
        "A10": looking.deadline,
        "A11": looking.shared_model,
        "G01": looking.grade_rise,
        "G02": looking.grade_rise,
    }
    unknown = sorted(policy.rules.keys() - rules.keys())
    if unknown:
        raise ValueError(f"预警政策中有未实现的规则：{'、'.join(unknown)}")
    drafts = {draft.cause_key: draft for rule in policy.rules for draft in rules[rule](rule)}
    return sorted(drafts.values(), key=lambda draft: (COLOURS.index(draft.colour), draft.cause_key))


class _Looking:
    """The rules, over one day's observations."""

    def __init__(self, observed: Observed, policy: AlertPolicy, as_of: date) -> None:
        self.observed = observed
        self.policy = policy
        self.as_of = as_of
        self.since = as_of - timedelta(days=policy.window_days)

    def _recent(self, known_on: date) -> bool:
        return self.since < known_on <= self.as_of

    def _draft(
        self, rule: str, cause: str, title: str, reasons: Iterable[str], *, region: str, evidence: Iterable[int],
        colour: str | None = None, enterprise_id: int | None = None, product_id: str = "",
    ) -> AlertDraft:  # fmt: skip
        trigger = self.policy.rules[rule]
        return AlertDraft(
            rule=rule,
            cause_key=f"{rule}:{cause}",
            colour=colour or trigger.colour,
            title=f"{title}：{trigger.zh}",
            reasons=tuple(reasons),
            region_code=region or None,
            enterprise_id=enterprise_id,
            product_id=product_id or None,
            evidence=tuple(sorted(set(evidence))),
            deliver=trigger.deliver,
        )

    def _firm(self, enterprise_id: int | None) -> str:
        return self.observed.enterprises.get(enterprise_id, f"企业 {enterprise_id}") if enterprise_id else ""

    def _product(self, product_id: str) -> str:
        return self.observed.products.get(product_id, product_id)

    def _place(self, code: str) -> str:
        return self.observed.regions.get(code, code)

    def _subject(self, report: Report) -> str:
        names = (self._firm(report.enterprise_id), self._product(report.product_id) or self._place(report.region_code))
        return " ".join(name for name in names if name) or f"信息 {report.signal_id}"

    def casualties(self, rule: str) -> Iterator[AlertDraft]:
        """A death, or so many injured, told by a credible source or by two independent ones."""
        least = self.policy.rules[rule].number("injured")
        stories: dict[str, list[Report]] = defaultdict(list)
        for report in self.observed.reports:
            if self._recent(report.known_on) and (report.deaths > 0 or report.injured >= least):
                stories[report.story].append(report)
        for story, reports in sorted(stories.items()):
            if not self._credible(reports):
                continue
            first = min(reports, key=lambda report: (report.known_on, report.signal_id))
            deaths = max(report.deaths for report in reports)
            injured = max(report.injured for report in reports)
            yield self._draft(
                rule, story, self._subject(first),
                [f"信息所述：死亡 {deaths} 人，受伤 {injured} 人", self._voices_sentence(reports)],
                region=first.region_code, evidence=(report.signal_id for report in reports),
                enterprise_id=first.enterprise_id, product_id=first.product_id,
            )  # fmt: skip

    def spread(self, rule: str) -> Iterator[AlertDraft]:
        """A grave hazard of one product family, told independently, in several cities within days."""
        trigger = self.policy.rules[rule]
        days = int(trigger.number("days"))
        families: dict[str, list[Report]] = defaultdict(list)
        for report in self.observed.reports:
            credible = report.trust in self.policy.independent
            if credible and report.severity >= trigger.number("severity") and report.family and report.region_code:
                families[report.family].append(report)
        for family, reports in sorted(families.items()):
            reports.sort(key=lambda report: (report.known_on, report.signal_id))
            for start, first in enumerate(reports):
                last_day = first.known_on + timedelta(days=days)
                wave = [report for report in reports[start:] if report.known_on < last_day]
                stories = {report.story for report in wave}
                sources = {report.source_id for report in wave}
                cities = {report.region_code[:4] for report in wave}
                enough = min(len(stories), len(sources)) >= trigger.number("sources")
                if not enough or len(cities) < trigger.number("prefectures") or not self._recent(wave[-1].known_on):
                    continue
                yield self._draft(
                    rule, f"{family}:{first.story}", self._product(first.product_id) or family,
                    [
                        f"{days} 天内 {len(stories)} 起、{len(sources)} 个独立来源、涉及 {len(cities)} 个市",
                        self._voices_sentence(wave),
                    ],
                    region=_shared_prefix([report.region_code for report in wave]),
                    evidence=(report.signal_id for report in wave), product_id=first.product_id,
                )  # fmt: skip
                break

    def verified_hazard(self, rule: str) -> Iterator[AlertDraft]:
        """A grave hazard that a regulator, court, fire service or hospital confirms."""
        least = self.policy.rules[rule].number("severity")
        stories: dict[str, list[Report]] = defaultdict(list)
        for report in self.observed.reports:
            if self._recent(report.known_on) and report.severity >= least and report.trust in self.policy.credible:
                stories[report.story].append(report)
        for story, reports in sorted(stories.items()):
            first = min(reports, key=lambda report: (report.known_on, report.signal_id))
            yield self._draft(
                rule, story, self._subject(first),
                [f"危害严重程度 {first.severity} 级，来源可信", self._voices_sentence(reports)],
                region=first.region_code, evidence=(report.signal_id for report in reports),
                enterprise_id=first.enterprise_id, product_id=first.product_id,
            )  # fmt: skip

    def county_rate(self, rule: str) -> Iterator[AlertDraft]:
        """A county whose batches of a product fail far more often than the province's, on enough batches."""
        trigger = self.policy.rules[rule]
        since = self.as_of - timedelta(days=round(30.44 * trigger.number("months")))
        tests = [t for t in self.observed.tests if since < t.occurred_on <= self.as_of and t.known_on <= self.as_of]
        province: dict[str, list[BatchResult]] = defaultdict(list)
        county: dict[tuple[str, str], list[BatchResult]] = defaultdict(list)
        for test in tests:
            province[test.product_id].append(test)
            if test.region_code:
                county[test.product_id, test.region_code].append(test)
        for (product_id, region), here in sorted(county.items()):
            failed = [test for test in here if test.failed]
            everywhere = province[product_id]
            average = sum(test.failed for test in everywhere) / len(everywhere)
            limit = max(trigger.number("times_province") * average, trigger.number("least_rate"))
            if len(here) < trigger.number("least_batches") or not product_id or len(failed) / len(here) < limit:
                continue
            newest = max(failed, key=lambda test: (test.known_on, test.signal_id))
            if not self._recent(newest.known_on):
                continue
            yield self._draft(
                rule, f"{product_id}:{region}:{newest.occurred_on:%Y}Q{(newest.occurred_on.month + 2) // 3}",
                f"{self._place(region)} {self._product(product_id)}",
                [
                    f"近 {trigger.number('months'):.0f} 个月 {len(here)} 批中 {len(failed)} 批不合格"
                    f"（{len(failed) / len(here):.0%}），全省为 {average:.0%}"
                ],
                region=region, evidence=(test.signal_id for test in failed), product_id=product_id,
            )  # fmt: skip

    def abroad(self, rule: str) -> Iterator[AlertDraft]:
        """A warning from abroad that names an enterprise of ours."""
        for notice in self.observed.notices:
            if self._recent(notice.known_on):
                yield self._draft(
                    rule, f"{notice.enterprise_id}:{notice.signal_id}", self._firm(notice.enterprise_id),
                    [
                        f"{notice.country}发布召回或预警（{notice.known_on} 得知），"
                        f"涉及{self._product(notice.product_id) or '该企业产品'}"
                    ],
                    region=notice.region_code, evidence=[notice.signal_id],
                    enterprise_id=notice.enterprise_id, product_id=notice.product_id,
                )  # fmt: skip

    def repeated_failure(self, rule: str) -> Iterator[AlertDraft]:
        """Two failures in a row, or the same safety item failing again."""
        since = self.as_of - timedelta(days=round(30.44 * self.policy.rules[rule].number("months")))
        lines: dict[tuple[int, str], list[BatchResult]] = defaultdict(list)
        for test in self.observed.tests:
            if test.enterprise_id is not None and since < test.occurred_on and test.known_on <= self.as_of:
                lines[test.enterprise_id, test.product_id].append(test)
        for (enterprise_id, product_id), tests in sorted(lines.items()):
            tests.sort(key=lambda test: (test.occurred_on, test.signal_id))
            last_item: dict[str, BatchResult] = {}
            for before, test in zip([None, *tests], tests, strict=False):
                again = [last_item[item] for item in test.safety_items if item in last_item] if test.failed else []
                in_a_row = test.failed and before is not None and before.failed
                if test.failed:
                    last_item.update(dict.fromkeys(test.safety_items, test))
                if not (in_a_row or again) or not self._recent(test.known_on):
                    continue
                reasons = []
                if in_a_row and before is not None:
                    reasons.append(f"{before.occurred_on} 与 {test.occurred_on} 连续两批不合格")
                if again:
                    items = "、".join(item for item in test.safety_items if any(item in t.safety_items for t in again))
                    reasons.append(f"安全项目“{items}”再次不合格（上次 {again[-1].occurred_on}）")
                evidence = [test.signal_id, *(t.signal_id for t in again)]
                if in_a_row and before is not None:
                    evidence.append(before.signal_id)
                yield self._draft(
                    rule, f"{enterprise_id}:{product_id}:{test.signal_id}",
                    f"{self._firm(enterprise_id)} {self._product(product_id)}".strip(), reasons,
                    region=test.region_code, evidence=evidence, enterprise_id=enterprise_id, product_id=product_id,
                )  # fmt: skip

    def shared_model(self, rule: str) -> Iterator[AlertDraft]:
        """One model failing in several counties: each sees one bad batch, together they are a pattern."""
        trigger = self.policy.rules[rule]
        since = self.as_of - timedelta(days=round(30.44 * trigger.number("months")))
        models: dict[tuple[str, str, str], list[ModelFailure]] = defaultdict(list)
        for failure in self.observed.models:
            if since < failure.occurred_on and failure.known_on <= self.as_of and failure.region_code:
                models[failure.product_id, failure.brand, failure.spec_model].append(failure)
        for (product_id, brand, model), failures in sorted(models.items()):
            counties = sorted({failure.region_code for failure in failures})
            newest = max(failures, key=lambda failure: (failure.known_on, failure.signal_id))
            if len(counties) < trigger.number("counties") or not self._recent(newest.known_on):
                continue
            named = " ".join(word for word in (brand, model) if word)
            yield self._draft(
                rule, f"{product_id}:{brand}:{model}:{len(counties)}", f"{self._product(product_id)} {named}".strip(),
                [
                    f"近 {trigger.number('months'):.0f} 个月 {len(failures)} 批不合格，"
                    f"涉及 {len(counties)} 个县区：{'、'.join(self._place(code) for code in counties[:6])}"
                ],
                region=_shared_prefix(counties), evidence=(failure.signal_id for failure in failures),
                product_id=product_id,
            )  # fmt: skip

    def complaint_wave(self, rule: str) -> Iterator[AlertDraft]:
        """More complaints in a week than the subject's own twelve weeks before make likely.

        One claimant counts once a week and a copied text once at all, so a flood of copies is one voice.
        """
        firms: dict[str, list[Voice]] = defaultdict(list)
        for voice in self.observed.voices:
            if voice.enterprise_id is not None and voice.known_on <= self.as_of:
                firms[f"e{voice.enterprise_id}"].append(voice)
            if voice.product_id and voice.known_on <= self.as_of:
                firms[f"p{voice.product_id}:{voice.region_code[:4]}"].append(voice)
        for subject, voices in sorted(firms.items()):
            yield from self._wave(rule, subject, voices)

    def _wave(self, rule: str, subject: str, voices: list[Voice]) -> Iterator[AlertDraft]:
        trigger = self.policy.rules[rule]
        weeks = int(trigger.number("baseline_weeks"))
        heard = self._one_voice_each(voices, int(trigger.number("per_claimant")))
        if len(heard) < trigger.number("least"):
            return
        counts = Counter((self.as_of - voice.known_on).days // 7 for voice in heard)

        def is_wave(week: int) -> bool:
            baseline = [counts[week + 1 + back] for back in range(weeks)]
            mean = sum(baseline) / weeks
            deviation = math.sqrt(sum((count - mean) ** 2 for count in baseline) / (weeks - 1))
            limit = mean + trigger.number("deviations") * deviation
            return counts[week] > limit and counts[week] >= trigger.number("least")

        if not is_wave(0):
            return
        now = [voice for voice in heard if (self.as_of - voice.known_on).days < 7]
        before = sum(counts[1 + back] for back in range(weeks)) / weeks
        first = min(now, key=lambda voice: (voice.known_on, voice.signal_id))
        # The wave is named by its month, so that running every day tells it once a month at most.
        month = f"{first.known_on:%Y-%m}"
        is_firm = subject.startswith("e")
        title = self._firm(first.enterprise_id) if is_firm else (
            f"{self._place(first.region_code[:4] + '00')} {self._product(first.product_id)}"
        )  # fmt: skip
        products = Counter(voice.product_id for voice in now if voice.product_id)
        yield self._draft(
            rule, f"{subject}:{month}", title,
            [
                f"近 7 天质量投诉 {counts[0]} 件（同一投诉人、同一文本各计一件），"
                f"此前 {weeks} 周平均每周 {before:.1f} 件",
                f"共 {len({v.claimant for v in now if v.claimant}) or len(now)} 名投诉人",
            ],
            region=first.region_code if is_firm else first.region_code[:4],
            evidence=(voice.signal_id for voice in now),
            enterprise_id=first.enterprise_id if is_firm else None,
            product_id=products.most_common(1)[0][0] if products else "",
        )  # fmt: skip

    def _one_voice_each(self, voices: list[Voice], per_claimant: int) -> list[Voice]:
        stories: set[str] = set()
        told: Counter[tuple[str, int]] = Counter()
        heard = []
        for voice in sorted(voices, key=lambda voice: (voice.known_on, voice.signal_id)):
            week = (self.as_of - voice.known_on).days // 7
            if voice.story and voice.story in stories:
                continue
            if voice.claimant and told[voice.claimant, week] >= per_claimant:
                continue
            stories.add(voice.story)
            told[voice.claimant, week] += 1
            heard.append(voice)
        return heard

    def permit_end(self, rule: str) -> Iterator[AlertDraft]:
        """A permit that ends soon, or has ended while its holder is still seen at work."""
        days = int(self.policy.rules[rule].number("days"))
        for permit in self.observed.permits:
            lapsed = permit.state in ("revoked", "cancelled", "suspended", "expired") or (
                permit.expires_on is not None and permit.expires_on < self.as_of
            )
            if lapsed:
                end = permit.expires_on
                seen_after = permit.active_on is not None and (end is None or permit.active_on > end)
                if not seen_after or permit.active_on is None or not self._recent(permit.active_on):
                    continue
                stage, reason = "lapsed", f"证书 {permit.number} 已失效，其后于 {permit.active_on} 仍有生产经营记录"
            elif permit.expires_on is not None and (permit.expires_on - self.as_of).days <= days:
                stage = "ending"
                left = (permit.expires_on - self.as_of).days
                reason = f"证书 {permit.number} 将于 {permit.expires_on} 到期，还有 {left} 天"
            else:
                continue
            yield self._draft(
                rule, f"{permit.enterprise_id}:{permit.number}:{permit.expires_on}:{stage}",
                self._firm(permit.enterprise_id), [reason], region=permit.region_code, evidence=[permit.signal_id],
                enterprise_id=permit.enterprise_id, product_id=permit.product_id,
            )  # fmt: skip

    def lone_post(self, rule: str) -> Iterator[AlertDraft]:
        """A grave post of low trust that nobody corroborates within days: shown for judgement, not sent."""
        trigger = self.policy.rules[rule]
        patience = timedelta(days=trigger.number("hours") / 24)
        stories: dict[str, list[Report]] = defaultdict(list)
        for report in self.observed.reports:
            stories[report.story].append(report)
        for story, reports in sorted(stories.items()):
            first = min(reports, key=lambda report: (report.known_on, report.signal_id))
            grave = max(report.severity for report in reports) >= trigger.number("severity")
            trusted = any(report.trust in self.policy.independent for report in reports)
            waited = self.as_of - first.known_on >= patience
            if grave and not trusted and waited and self._recent(first.known_on):
                yield self._draft(
                    rule, story, self._subject(first),
                    [
                        f"{first.known_on} 起 {len(reports)} 条，均来自低可信来源，"
                        f"{trigger.number('hours'):.0f} 小时内无佐证"
                    ],
                    region=first.region_code, evidence=(report.signal_id for report in reports),
                    enterprise_id=first.enterprise_id, product_id=first.product_id,
                )  # fmt: skip

    def deadline(self, rule: str) -> Iterator[AlertDraft]:
        """A statutory deadline that comes near, or is missed."""
        trigger = self.policy.rules[rule]
        for clock in self.observed.deadlines:
            left = (clock.due_on - self.as_of).days
            if left > trigger.number("days"):
                continue
            if left >= 0:
                stage, colour, reason = "near", trigger.colour, f"{clock.step_zh}期限 {clock.due_on}，还有 {left} 天"
            else:
                is_recheck = clock.limit_id in RECHECK_LIMITS
                colour = trigger.word("recheck_overdue" if is_recheck else "overdue")
                stage, reason = "overdue", f"{clock.step_zh}期限 {clock.due_on} 已过 {-left} 天"
            yield self._draft(
                rule, f"{clock.case_id}:{clock.limit_id}:{stage}",
                f"{self._firm(clock.enterprise_id) or '台账'} {self._product(clock.product_id)}".strip(),
                [reason], colour=colour, region=clock.region_code, evidence=[clock.signal_id],
                enterprise_id=clock.enterprise_id, product_id=clock.product_id,
            )  # fmt: skip

    def grade_rise(self, rule: str) -> Iterator[AlertDraft]:
        """An enterprise whose grade rose to the level of the rule."""
        level = self.policy.rules[rule].word("to")
        for rise in self.observed.rises:
            if rise.level == level:
                cause = f"强制定级：{rise.forced}" if rise.forced else f"得分 {rise.score:.0f}"
                yield self._draft(
                    rule, f"{rise.enterprise_id}:{rise.role}:{rise.as_of}", self._firm(rise.enterprise_id),
                    [f"风险等级由 {rise.previous_level or '未评'} 变为 {rise.level}（{cause}）", *rise.reasons],
                    region=rise.region_code, evidence=rise.evidence, enterprise_id=rise.enterprise_id,
                )  # fmt: skip

    def _credible(self, reports: Sequence[Report]) -> bool:
        if any(report.trust in self.policy.credible for report in reports):
            return True
        return len({report.source_id for report in reports if report.trust in self.policy.independent}) >= 2

    def _voices_sentence(self, reports: Sequence[Report]) -> str:
        sources = len({report.source_id for report in reports})
        return f"依据 {len(reports)} 条信息、{sources} 个来源"


RECHECK_LIMITS = frozenset({"SC05", "SC07"})


def _shared_prefix(codes: Sequence[str]) -> str:
    shared = codes[0]
    for code in codes[1:]:
        while not code.startswith(shared):
            shared = shared[:-2]
    return shared
