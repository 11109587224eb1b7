"""A whole stack in virtual time: AWS, machines, the product's own handlers, and what watches them."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from keyturn.aws.gateway_cache import Stage
from keyturn.aws.settings import Settings
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.lineage import trace
from keyturn.keyset.model import Generation, Keyset
from keyturn.keyset.timing import Limits, Times
from tests.cloud.account import Account
from tests.cloud.interpreter import Task
from tests.cloud.kms import ENABLED
from tests.cloud.states import CloudFormationClient
from tests.cloud.wire import Call, Listing
from tests.permissions.key_policy import Principal
from tests.simulation.gateway import OWN_STAGE, Gateway
from tests.simulation.machines import Container, MachineClock
from tests.simulation.passage import Passage, Plan
from tests.simulation.principals import ROLE_PREFIX, principal_of
from tests.simulation.scheduler import Process, Scheduler
from tests.simulation.watch.apis import Apis
from tests.simulation.watch.broken import EXCUSED, insist
from tests.simulation.watch.cutoffs import CutOffs
from tests.simulation.watch.grants import CHANGING, FULL, STEADY, Grants
from tests.simulation.watch.jwks import Jwks
from tests.simulation.watch.tokens import Tokens
from tests.simulation.watch.truth import Truth

EPOCH = datetime(2026, 3, 1, 12, tzinfo=UTC)
STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/sim/1"
LIMITS = Limits(
    generation_age=timedelta(seconds=120),
    generation_count=15,
    settling_time=timedelta(seconds=40),
    registration_age=timedelta(seconds=900),
    ended_age=timedelta(seconds=1800),
    orphan_age=timedelta(seconds=1800),
    live_keys=5,
    listed_keys=7,
)
_CONTEXT = SimpleNamespace(
    function_name="keyturn",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:keyturn",
    aws_request_id="request-1",
)


class World:
    """One run. Clocks are off by up to `skew` seconds, and reads of SSM by up to `lag`: together ε.

    `clocks` says how far a machine's clock is ahead, by its label; otherwise each has one or the other extreme.
    """

    running: "World"  # whose containers `Stack.from_environment` looks into

    def __init__(
        self,
        times: Times,
        material: Iterator[RSAPrivateKey],
        *,
        seed: int | None = None,
        skew: float = 0.0,
        clocks: Callable[[str], float] | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self.choose = Random(seed or 0)
        self.times, self.limits, self.skew = times, limits, skew
        self._clocks = clocks
        self.lag = times.clock_skew - skew
        self.plan = Plan()
        self.scheduler = Scheduler(self.choose if seed is not None else None)
        self.hurried = seed is None  # nothing takes time unless a fault says so
        self.ids = count(1)
        self.account = Account(self, EPOCH, material)
        self.ssm, self.s3, self.kms = self.account.ssm, self.account.s3, self.account.kms
        self.gateway = Gateway(self, times.result_ttl)
        self.apis = Apis(times, self.ssm, self.now)
        self.bus = self.account.bus
        self.clients = self._clients()
        self.grants = Grants(times, self.ssm, self.now)
        for client in (STEADY, CHANGING):
            self.grants.declare(client, FULL)
        self.truth = Truth(times, limits, self.kms, self.now, planted=self.ssm.planted)
        self.truth.stored = self._counting
        self.jwks = Jwks(times, limits, self.truth, self.now)
        self.cutoffs = CutOffs(times=times, truth=self.truth, now=self.now, epoch=EPOCH.timestamp())
        self.cutoffs.declare(self.ssm)
        self.truth.on_cutoffs = self.cutoffs.landed
        self.tokens = Tokens(times, self.truth, self.jwks, self.now)
        self.ssm.watch, self.s3.watch = self.truth.wrote, self.jwks.wrote
        self.kms.watch = self.truth.changed
        self.kms.caller = self._caller
        self.executions: list[Any] = []
        EXCUSED.clear()
        World.running = self

    def now(self) -> float:
        """True seconds from the beginning."""
        return self.scheduler.now

    def carry(self, call: Call) -> Any:
        """Every AWS call of the product; see Wire."""
        process = self.scheduler.current
        if process is None:
            return call.effect(self.now())  # the run looks on from outside
        return Passage(self, call, process.owner).go()

    def _caller(self) -> Principal | None:
        process = self.scheduler.current
        return principal_of(process.owner.label) if process else None

    def ahead(self, label: str) -> float:
        """How far the clock of a new machine is ahead, in seconds."""
        if self._clocks:
            return self._clocks(label)
        return self.choose.choice((0.0, self.skew))

    def container(self, label: str, *, troubled: bool = True) -> Container:
        """A fresh container, on a machine with a clock of its own."""
        clock = MachineClock(self.scheduler, EPOCH, self.ahead(label), self.choose, self.ids)
        settings = Settings(
            stack="sim",
            bucket="bucket",
            issuer="https://sim.example",
            audience="orders",
            deletion_window=7,
            role_prefix=ROLE_PREFIX,
            flush_targets=(Stage(*OWN_STAGE),) if self.times.result_ttl else (),
            times=self.times,
        )
        stack = Stack(settings, clock=clock, clients=self.clients, limits=self.limits)
        return Container(stack, clock, label, began=len(self.truth.landed), troubled=troubled)

    def call(
        self, module: ModuleType, event: Mapping[str, Any], container: Container, timeout: float
    ) -> Process:
        """Invoke a handler as Lambda does: JSON in, JSON out, killed at its timeout."""

        def run() -> Any:
            answer = module.handler(json.loads(json.dumps(event)), _CONTEXT)
            return json.loads(json.dumps(answer))

        process = self.scheduler.spawn(run, container)
        self.scheduler.at(
            self.now() + timeout,
            lambda: self.scheduler.crash(process),
            unless=lambda: process.over,
        )
        return process

    def deploy(self, **changes: int) -> None:
        """The stack is updated: every container from now on has these times."""
        self.times = replace(self.times, **changes)

    def in_container(self) -> Stack:
        """What `Stack.from_environment` returns in this run."""
        process = self.scheduler.current
        assert process, "a handler runs in a container"
        container: Container = process.owner
        return container.stack

    def promised(self, task: Task, outcome: Mapping[str, Any]) -> None:
        """A step said that it is done: what it acknowledged must be there (S9), and stay (S2)."""
        done = (task.step, outcome.get("outcome"))
        if done == ("RevokeKeys", "revoked"):
            for kid in outcome["ended"]:
                insist(self.truth.life(kid).ended is not None, "S9", "a revocation got lost")
        if done == ("RetireKey", "retired"):
            kid = outcome["kid"]
            insist(self.truth.life(kid).ended is not None, "S9", "a retirement got lost")
        if done == ("DisableKeys", "disabled"):
            for arn, kid in self.truth.arns.items():
                able = kid in outcome["kids"] and self.kms.keys[arn].states[-1][1] == ENABLED
                insist(not able, "S9", "a key that is called disabled can sign")
        waited = not self.plan.was_cut_short("WaitForViews")
        flushed = done == ("FlushAuthorizers", "flushed") and outcome["stages"] and waited
        self.cutoffs.promised(task, done, flushed=bool(flushed))
        if flushed:
            for kid in task.data["kids"]:
                self.tokens.flushed[kid] = self.now()

    def stranger_appends(self) -> None:
        """Another writer appends a generation that changes nothing."""
        if self.truth.gone is not None:
            return
        latest = self.truth.head
        there = self.ssm.see(f"/keyturn/sim/keyset/{latest.number:012d}", self.now())
        keyset = latest.keyset if there else Keyset()
        following = replace(
            latest,
            number=latest.number + 1,
            op_id="stranger",
            keyset=keyset,
            parent=document.digest(latest.text),
        )
        name = f"/keyturn/sim/keyset/{following.number:012d}"
        self.ssm.put(name, document.dumps(following), overwrite=False)

    def _counting(self) -> tuple[Generation, ...]:
        lineage = trace(self.ssm.stored("/keyturn/sim/keyset"))
        return lineage.chain if lineage else ()

    def _clients(self) -> Any:
        return SimpleNamespace(
            **vars(self.account.clients()),
            apigateway=self.gateway,
            cloudformation=CloudFormationClient(self, STACK_ID, "UPDATE_COMPLETE"),
            states=SimpleNamespace(get_paginator=lambda _name: Listing(_no_executions)),
        )


def _no_executions(**_arguments: Any) -> list[dict[str, Any]]:
    """ListExecutions: none that could be stopped."""
    return [{"executions": []}]
