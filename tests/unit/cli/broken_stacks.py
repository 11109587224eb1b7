"""A stack at rest with one thing wrong, for each finding of `keyturn doctor`."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

from keyturn.access.routes import RouteTable
from keyturn.aws import registry
from keyturn.aws.executions import Execution, ExecutionRequest
from keyturn.aws.keyset.kms_keys import KmsKey
from keyturn.aws.keyset.well_known import OPENID_PROVIDER
from keyturn.aws.operator.gateway_authorizers import Authorizer
from keyturn.aws.operator.schedules import Schedule
from keyturn.cli.snapshot import Failure, Run
from keyturn.keyset.cutoffs import Claim, CutOff, digest_of
from keyturn.keyset.model import EndedKey
from keyturn.keyset.states import State

DAY = timedelta(days=1)
ASKED = ExecutionRequest.parse('{"mode": "scheduled", "started_by": "schedule"}')


def with_keys(snapshot, *keys, ended=()):
    """The same stack with these live keys."""
    last = snapshot.generation
    keyset = replace(last.keyset, keys=keys, ended=tuple(ended))
    return replace(snapshot, generations=(*snapshot.generations, replace(last, keyset=keyset)))


def with_kms(snapshot, key, **changed):
    """The same stack, with a key that KMS describes differently."""
    kms_key = replace(snapshot.kms[key.kms_key_arn], **changed)
    return replace(snapshot, kms={**snapshot.kms, key.kms_key_arn: kms_key})


def unknown_key(name, snapshot, age):
    """A KMS key of this stack that no keyset lists."""
    arn = f"arn:aws:kms:us-east-1:123456789012:key/{name}"
    return KmsKey(arn, snapshot.at - age, enabled=True, pending_deletion=False, has_our_spec=True)


def with_kms_keys(snapshot, *keys):
    """The same stack with more KMS keys."""
    return replace(snapshot, kms={**snapshot.kms, **{key.arn: key for key in keys}})


def ended_but_enabled(snapshot):
    """The standby was revoked, and KMS still has it enabled."""
    active, standby = snapshot.keyset.active, snapshot.keyset.standby
    gone = EndedKey(standby.kid, standby.kms_key_arn, State.REVOKED, standby.created, snapshot.at)
    return with_keys(snapshot, active, ended=(gone,))


def run(state, age, snapshot):
    """An execution under way."""
    return Run("arn:run", "scheduled", "schedule", snapshot.at - age, state, snapshot.at - age)


def grace(snapshot):
    """The active key, superseded long ago."""
    active = snapshot.keyset.active
    return replace(
        active, state=State.GRACE, superseded=snapshot.at - DAY, verify_until=snapshot.at - DAY
    )


def with_cutoffs(snapshot, number):
    """The same stack, with so many subjects cut off."""
    cut = {"before": snapshot.at, "until": snapshot.at + DAY}
    cutoffs = tuple(CutOff(Claim.SUBJECT, digest_of(str(n)), **cut) for n in range(number))
    last = snapshot.generation
    last = replace(last, keyset=replace(last.keyset, cutoffs=cutoffs))
    return replace(snapshot, generations=(*snapshot.generations, last))


NO_ROUTES = '{"audience": "orders"}'
ROUTES = '{"audience": "orders", "routes": {"GET /orders": "orders:read"}}'
CACHED_ROUTES = f'{ROUTES[:-1]}, "cached": true}}'
OWN_ROUTES = RouteTable.parse({"GET /": "a"})
OWN_CACHED_ROUTES = RouteTable.parse({"GET /": "a"}, cached=True)


def deployed_as(kind, name, text):
    """A document as the registry reads it."""
    stored = {"Parameters": [{"Name": name, "Value": text, "Version": 1}]}
    ssm = SimpleNamespace(get_parameters=lambda **_: stored)
    return getattr(registry, f"{kind}_registry")("demo", ssm).read_document(name)


def cached(snapshot, text, **more):
    """An API whose authorizer's answers API Gateway keeps for all routes, and its document, if any."""
    times = replace(snapshot.settings.times, result_ttl=60)
    return replace(
        snapshot,
        settings=replace(snapshot.settings, times=times),
        authorizers=(Authorizer("other", "a1", 60, **more),),
        apis={"other": deployed_as("api", "other", text)} if text else {},
    )


BROKEN = {
    "no_active_key": lambda s: with_keys(s, s.keyset.standby),
    "no_standby": lambda s: with_keys(s, s.keyset.active),
    "standby_unpublished": lambda s: replace(
        with_keys(s, s.keyset.active, replace(s.keyset.standby, published=None)), at=s.at + DAY
    ),
    "overdue_key": lambda s: with_keys(s, s.keyset.standby, grace(s)),
    "cutoffs_nearly_full": lambda s: with_cutoffs(s, 55),
    "rotation_overdue": lambda s: replace(s, at=s.at + 400 * DAY),
    "active_key_disabled": lambda s: with_kms(s, s.keyset.active, enabled=False),
    "standby_key_disabled": lambda s: with_kms(
        s, s.keyset.standby, enabled=False, pending_deletion=True
    ),
    "grace_key_disabled": lambda s: replace(
        with_keys(
            s, s.keyset.standby, replace(grace(s), created=s.at - DAY, verify_until=s.at + DAY)
        ),
        kms={s.keyset.standby.kms_key_arn: s.kms[s.keyset.standby.kms_key_arn]},
    ),
    "foreign_key": lambda s: replace(s, foreign=frozenset({s.keyset.active.kms_key_arn})),
    "ended_key_kept": ended_but_enabled,
    "orphaned_key": lambda s: with_kms_keys(s, unknown_key("old", s, 3 * DAY)),
    "metadata_false": lambda s: replace(s, false_metadata=(OPENID_PROVIDER,)),
    "jwks_missing": lambda s: replace(s, projection=None),
    "jwks_behind": lambda s: replace(s, projection=replace(s.projection, generation=0)),
    "jwks_ahead": lambda s: replace(s, projection=replace(s.projection, generation=99)),
    "jwks_incomplete": lambda s: replace(s, projection=replace(s.projection, keys={})),
    "jwks_foreign": lambda s: replace(
        s, projection=replace(s.projection, body=b'{"keys":[{"kid":"forged"}]}')
    ),
    "foreign_history": lambda s: replace(s, foreign_objects=("history/x", "history/y")),
    "jwks_unreachable": lambda s: replace(s, public=replace(s.public, status=403)),
    "jwks_caching": lambda s: replace(s, public=replace(s.public, cache_control="no-cache")),
    "jwks_stale_at_edge": lambda s: replace(
        s, public=replace(s.public, generation=1), at=s.at + DAY
    ),
    "failed_execution": lambda s: replace(
        s, unresolved=(Failure(Execution("arn:run", "TIMED_OUT", s.at, s.at), ASKED),)
    ),
    "stuck_execution": lambda s: replace(s, running=(run("WaitForGrace", DAY, s),)),
    "schedule_missing": lambda s: replace(
        s, schedules=(Schedule("demo-rotation", enabled=False, expression=None),)
    ),
    "schedule_disabled": lambda s: replace(
        s, schedules=(Schedule("demo-rotation", enabled=False, expression="rate(1 day)"),)
    ),
    "authorizer_caches_longer": lambda s: replace(
        s, authorizers=(Authorizer("other", "a1", 300), Authorizer("own", "a2", 0))
    ),
    "document_unreadable": lambda s: replace(
        s, clients={"orders": deployed_as("client", "orders", "{}")}
    ),
    "api_missing": lambda s: replace(
        s, apis={"gone": deployed_as("api", "gone", NO_ROUTES)}, authorizers=()
    ),
    "cache_refuses_routes": lambda s: cached(s, ROUTES),
    "cache_opens_routes": lambda s: cached(s, ROUTES, is_http=True),
    "clock_skew": lambda s: replace(s, clock_offset=timedelta(seconds=-90)),
    "unreadable": lambda s: replace(
        s, read_errors={"kms": "kms:DescribeKey: AccessDeniedException"}
    ),
}
