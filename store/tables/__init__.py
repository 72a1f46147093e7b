"""Every table, so that importing this module fills the metadata."""

from store.tables.account import Account, AuditEntry, LoginAttempt, LoginSession
from store.tables.alert import Acknowledgement, Alert, Contact, Delivery
from store.tables.base import Base, UtcDateTime
from store.tables.case import CalendarDay, Case, CaseStep, Clock
from store.tables.enterprise import Enterprise, EnterpriseName, EnterpriseRole, Link, Mention, Merge
from store.tables.grade import AreaState, Grade, Override, PolicyTrial, PolicyTrialMove, PolicyVersion
from store.tables.intake import HeaderMapping, ImportFile, RowIssue
from store.tables.plan import Plan, PlanLine
from store.tables.records import (
    Complaint,
    CreditClass,
    EnforcementCase,
    Injury,
    Inspection,
    Licence,
    MonitoringPoint,
    MonitoringReport,
    Recall,
    SamplingResult,
    SelfCheck,
)
from store.tables.region import Region
from store.tables.signal import Cluster, ClusterMember, Signal
from store.tables.source import FrontierPage, JobRequest, Lease, Run, Source, SourceCheck
from store.tables.statement import Statement
from store.tables.tag import Label, ModelVersion, Tag

__all__ = [
    "Account",
    "Acknowledgement",
    "Alert",
    "AreaState",
    "AuditEntry",
    "Base",
    "CalendarDay",
    "Case",
    "CaseStep",
    "Clock",
    "Cluster",
    "ClusterMember",
    "Complaint",
    "Contact",
    "CreditClass",
    "Delivery",
    "EnforcementCase",
    "Enterprise",
    "EnterpriseName",
    "EnterpriseRole",
    "FrontierPage",
    "Grade",
    "HeaderMapping",
    "ImportFile",
    "Injury",
    "Inspection",
    "JobRequest",
    "Label",
    "Lease",
    "Licence",
    "Link",
    "LoginAttempt",
    "LoginSession",
    "Mention",
    "Merge",
    "ModelVersion",
    "MonitoringPoint",
    "MonitoringReport",
    "Override",
    "Plan",
    "PlanLine",
    "PolicyTrial",
    "PolicyTrialMove",
    "PolicyVersion",
    "Recall",
    "Region",
    "RowIssue",
    "Run",
    "SamplingResult",
    "SelfCheck",
    "Signal",
    "Source",
    "SourceCheck",
    "Statement",
    "Tag",
    "UtcDateTime",
]
