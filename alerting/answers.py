"""Answers to an alert: acknowledged, handled, reported, verified, closed or returned, each by a named person."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from store.tables import Acknowledgement, Alert, Delivery

KINDS = {
    "acknowledge": "签收",
    "handle": "处置",
    "report": "反馈",
    "verify": "核查",
    "close": "销号",
    "return": "退回",
}
# From which states an answer is allowed, and which state it leads to (lifecycle: 签收 处置 反馈 核查 销号 退回).
_STEPS: dict[str, tuple[frozenset[str], str]] = {
    "acknowledge": (frozenset({"open"}), "acknowledged"),
    "handle": (frozenset({"open", "acknowledged"}), "handling"),
    "report": (frozenset({"acknowledged", "handling"}), "reported"),
    "verify": (frozenset({"reported"}), "reported"),
    "close": (frozenset({"reported", "handling", "acknowledged", "open"}), "closed"),
    "return": (frozenset({"acknowledged", "handling", "reported"}), "open"),
}


def possible_answers(state: str) -> list[str]:
    """Return the kinds of answer an alert in this state takes, in the order of its life."""
    return [kind for kind, (allowed, _) in _STEPS.items() if state in allowed]


class AnswerError(ValueError):
    """The answer is not possible now; the message says why, in Chinese."""


def answer(
    session: Session, alert_id: int, *, kind: str, account_id: int, remark: str, at: datetime
) -> Acknowledgement | None:
    """Record an answer and move the alert on; what is still to be sent about it is called off.

    Acknowledging an alert that is already acknowledged changes nothing and returns None. Raises AnswerError when
    the state does not allow the answer, or closing and returning come without a remark.
    """
    if kind not in _STEPS:
        raise AnswerError(f"没有“{kind}”这种答复")
    if kind in ("close", "return", "report") and not remark.strip():
        raise AnswerError(f"{KINDS[kind]}须写明情况")
    allowed, state = _STEPS[kind]
    changed = session.execute(
        update(Alert)
        .where(Alert.id == alert_id, Alert.state.in_(allowed))
        .values(state=state)
        .execution_options(synchronize_session=False)
    )
    alert = session.get_one(Alert, alert_id, populate_existing=True)
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        if kind == "acknowledge" and alert.state in ("acknowledged", "handling", "reported"):
            return None
        raise AnswerError(f"预警当前为“{alert.state}”，不能{KINDS[kind]}")
    if kind != "return":
        # The head of a digest carries other alerts too, so it still goes out.
        member = aliased(Delivery)
        heads = select(member.digest_id).where(member.digest_id.is_not(None))
        session.execute(
            update(Delivery)
            .where(Delivery.alert_id == alert_id, Delivery.status == "waiting", Delivery.id.not_in(heads))
            .values(status="cancelled", reply=f"已{KINDS[kind]}，不再发送")
        )
    row = Acknowledgement(alert_id=alert_id, account_id=account_id, kind=kind, remark=remark.strip(), made_at=at)
    session.add(row)
    session.flush()
    return row
