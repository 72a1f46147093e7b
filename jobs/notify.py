"""Warning: what changed becomes alert rows and deliveries in one transaction; what is due is sent, or escalated."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from alerting.channels import Channel
from alerting.channels.mail import Mail
from alerting.channels.webhook import Webhook
from alerting.escalation import escalate_due
from alerting.outbox import deliver_due
from alerting.policy import AlertPolicy, load_alert_policy
from alerting.recording import record
from alerting.rules import detect
from ingest.http import GuardedClient
from jobs.observe import observe
from jobs.runs import recorded_run
from jobs.settings import Settings
from nlp.taxonomy import load_taxonomy
from scoring.policy import load_policies
from store.dialect import insert_ignore, serialise
from store.session import read_only
from store.tables import PolicyVersion


def run(
    sessions: sessionmaker[Session], settings: Settings, as_of: date, *, now: datetime | None = None
) -> dict[str, Any]:
    """Write the alerts of the day with their deliveries and return how many are new.

    Deadlines count from `now`; each cause is one alert however often this runs.
    """
    policy = load_alert_policy()
    now = now or datetime.now(UTC)
    with recorded_run(sessions, "notify", as_of=as_of, policy_hash=policy.hash) as (run_id, counts):
        with read_only(sessions) as session:
            observed = observe(
                session, load_taxonomy(settings.lexicon_dir), policy, as_of, load_policies(settings.policy_dir)
            )
        drafts = detect(observed, policy, as_of)
        with sessions.begin() as session:
            serialise(session, "notify")
            keep_policy(session, policy, now)
            counts.update(record(session, drafts, policy, now, run_id))
        counts["drafts"] = len(drafts)
    return counts


def deliver(
    sessions: sessionmaker[Session],
    settings: Settings,
    *,
    now: datetime | None = None,
    channels: Mapping[str, Channel] | None = None,
) -> dict[str, Any]:
    """Escalate what was not acknowledged in time and try every delivery that is due; return the counts."""
    policy = load_alert_policy()
    now = now or datetime.now(UTC)
    with sessions.begin() as session:
        counts: dict[str, Any] = escalate_due(session, policy, now)
    if channels is not None:
        return {**counts, **deliver_due(sessions, channels, now, policy=policy, synthetic=settings.synthetic)}
    with GuardedClient(settings.outbound_allow, policy.delivery.timeout_seconds) as client:
        ready = channels_of(settings, client, policy)
        return {**counts, **deliver_due(sessions, ready, now, policy=policy, synthetic=settings.synthetic)}


def channels_of(settings: Settings, client: GuardedClient, policy: AlertPolicy) -> dict[str, Channel]:
    """Return the channels that are configured: webhooks always, mail when there is a server."""
    channels: dict[str, Channel] = {"webhook": Webhook(client)}
    if settings.smtp_host:
        channels["email"] = Mail(
            settings.smtp_host, settings.smtp_port, settings.smtp_sender, policy.delivery.timeout_seconds
        )
    return channels


def keep_policy(session: Session, policy: AlertPolicy, now: datetime) -> None:
    """Store the policy's text under its hash, once."""
    row = {"hash": policy.hash, "name": policy.name, "body": policy.body, "first_used_at": now}
    insert_ignore(session, PolicyVersion.__table__, [row], key=["hash"])  # type: ignore[arg-type]
