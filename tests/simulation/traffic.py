"""Callers, who request tokens and show them to protected routes all the time."""

from functools import partial
from typing import Any

from keyturn.api import authorize, issue_token
from keyturn.api.gateway import Unauthorized
from keyturn.keyset.model import Generation
from keyturn.keyset.states import State
from tests.cloud.kms import ENABLED
from tests.permissions.key_policy import Principal
from tests.simulation.gateway import is_open, method_arn
from tests.simulation.machines import Container
from tests.simulation.scheduler import Process
from tests.simulation.signing import sign, swap_signatures
from tests.simulation.watch import cutoffs
from tests.simulation.watch.apis import Verdict
from tests.simulation.watch.broken import insist
from tests.simulation.watch.grants import REQUEST, STEADY
from tests.simulation.watch.tokens import Answer, Token
from tests.simulation.world import EPOCH, World

_AUTHORIZER_TIMEOUT = 10.0
OWN = "api"


class Traffic:
    """A few containers of each kind, one request at a time in each; now and then a fresh one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._idle: dict[str, list[Container]] = {"issuer": [], "authorizer": []}
        for kind in ("issuer", "issuer", "authorizer", "authorizer"):
            self._idle[kind].append(world.container(kind))
        self.genuine: list[Token] = []
        self._last: dict[str, Token] = {}
        self._stolen: set[str] = set()

    def every(self, seconds: float, until: float, ask: Any) -> None:
        """Ask at this interval, with the seed's jitter."""
        world = self._world
        if world.now() < until:
            jitter = 1.0 if world.hurried else world.choose.uniform(0.2, 1.8)
            ask()
            world.scheduler.at(
                world.now() + seconds * jitter, lambda: self.every(seconds, until, ask)
            )

    def landed(self, generation: Generation) -> None:
        """A generation landed: ask when views and caches are as old as they may be."""
        world, times = self._world, self._world.times
        edge = times.view_ttl + times.clock_skew
        for ended in generation.keyset.ended:
            if ended.state is State.REVOKED and ended.kid not in self._stolen:
                self._stolen.add(ended.kid)
                self.steal(ended.kid, ended.kms_key_arn)
        for after in (0.0, times.view_ttl - 0.1, edge + 0.1, edge + times.result_ttl + 0.2):
            world.scheduler.at(world.now() + after, self.issue)
            for key in generation.keyset.all_keys:
                if token := self._last.get(key.kid):
                    world.scheduler.at(world.now() + after, partial(self.show, token))

    def issue(self, client: str = STEADY) -> None:
        """Have a token issued."""
        arrived = self._world.now()
        container = self._take("issuer")
        timeout = self._world.times.issuer_timeout
        request = cutoffs.REQUEST if client == cutoffs.CLIENT else REQUEST
        event = {**request, "client": client}
        process = self._world.call(issue_token, event, container, timeout)
        process.waiters.append(lambda: self._issued(container, process, client, arrived))

    def show(self, token: Token | None = None, api: str = OWN) -> None:
        """Show a token to a protected route."""
        token = token or self._some_token()
        if token:
            container = self._world.container("caller")
            self._world.scheduler.spawn(lambda: self._through_gateway(token, api), container)

    def steal(self, kid: str, arn: str) -> None:
        """An attacker has the private key, and signs a token with it."""
        self._last[kid] = sign(self._world, kid, arn)

    def sign_as(self, thief: Principal, kid: str, arn: str) -> None:
        """An attacker signs with the key if KMS allows it, and presents the token."""
        kms = self._world.kms
        algorithm = {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
        is_enabled = kms.keys[arn].state(self._world.now()) == ENABLED
        if is_enabled and kms.allows(thief, "kms:Sign", arn, algorithm):
            self.show(sign(self._world, kid, arn, genuine=False))

    def forge(self) -> None:
        """An attacker has another key, and uses a listed kid."""
        if self.genuine and (token := swap_signatures(self.genuine)):
            self.show(token)

    def _issued(self, container: Container, process: Process, client: str, arrived: float) -> None:
        world, answer = self._world, process.answer
        self._give_back("issuer", container, process)
        if process.error or not answer:
            return
        if client != cutoffs.CLIENT:
            world.grants.answered(client, answer, arrived)
        elif "error" in answer:
            world.cutoffs.issuer_answered(answer, arrived)
        if "access_token" not in answer:
            return
        token = world.tokens.issued(answer["access_token"], container.signed, EPOCH.timestamp())
        if client == cutoffs.CLIENT:
            view = container.stack.view._entry
            assert view, "an issuer that signs has read the keyset"
            world.cutoffs.handed_out(token, view.value.keyset)
        else:
            self.genuine.append(token)
            self._last[token.kid] = token
        if token.promised and world.truth.life(token.kid).state != "active":
            self._show_to_the_last(token)

    def _show_to_the_last(self, token: Token) -> None:
        """It was signed with an older view, and the grace of its key must be long enough for it."""
        world = self._world
        end = token.expires + world.times.leeway - 0.3
        for at in (end - world.skew, end):
            world.scheduler.at(at, lambda: self.show(token))

    def _through_gateway(self, token: Token, api: str) -> None:
        world, arrived = self._world, self._world.now()
        deciding: list[Container] = []
        try:
            is_open = world.gateway.ask(
                api, token.text, lambda text: self._authorize(token, text, api, deciding)
            )
        except Exception:
            return
        if not token.genuine or not is_open:
            return
        responsible = deciding or self._idle["authorizer"]
        troubles = [container.document_trouble for container in responsible]
        world.apis.let_in(api, token, arrived, max(troubles, default=world.now()))
        if api == OWN:  # the one whose cache is flushed
            trouble = deciding[0].trouble if deciding else self._worst_trouble()
            world.tokens.cached(token, arrived, trouble)
            world.cutoffs.let_in(token, arrived, trouble, world.tokens.view(arrived, trouble))

    def _authorize(self, token: Token, text: str, api: str, deciding: list[Container]) -> Any:
        world, arrived = self._world, self._world.now()
        container = self._take("authorizer")
        seen, held = self._number_seen(container), container.stack.view._entry
        event = {
            "type": "TOKEN",
            "authorizationToken": f"Bearer {text}",
            "methodArn": method_arn(api),
        }
        container.refusal = ""
        process = world.call(authorize, event, container, _AUTHORIZER_TIMEOUT)
        world.scheduler.join(process)
        self._give_back("authorizer", container, process)
        if self._holds_a_lost_branch(container):
            container.failed_to_read("keyset", world.now())
        is_stale = held is not None and held.sent.age(container.clock) > world.times.stale_limit
        insist(self._number_seen(container) >= seen or is_stale, "S9", "a view went back")
        verdict, code = "allowed", container.refusal
        if process.error:
            verdict = "refused" if isinstance(process.error, Unauthorized) else "fault"
        deciding.append(container)
        if self._is_explained(token, api, process, arrived, container):
            return self._answer_of(process)
        read, trouble = container.last_read, container.trouble
        answer = Answer(token, verdict, arrived, container.clock.ahead, read, trouble, code)
        world.tokens.answered(answer)
        world.cutoffs.answered(answer, world.tokens.view(arrived, trouble))
        return self._answer_of(process)

    def _is_explained(
        self, token: Token, api: str, process: Process, arrived: float, container: Container
    ) -> bool:
        """Whether the API's document explains a refusal; it has to allow any other decision."""
        apis, trouble = self._world.apis, container.document_trouble
        if isinstance(process.error, Unauthorized):
            return apis.refuses(api, token, arrived, trouble)
        if not process.error:
            verdict = Verdict.OPEN if is_open(process.answer, api) else Verdict.CLOSED
            apis.answered(api, token, verdict, arrived, trouble)
        return False

    def _answer_of(self, process: Process) -> Any:
        if process.error:
            raise process.error
        return process.answer

    def _holds_a_lost_branch(self, container: Container) -> bool:
        """A view of a generation without successors ages as without SSM, up to StaleLimit (0020)."""
        held, promised = container.stack.view._entry, self._world.truth.promised
        return held is not None and held.value.text not in (one.text for one in reversed(promised))

    def _number_seen(self, container: Container) -> int:
        held = container.stack.view._entry
        return held.value.number if held else 0

    def _worst_trouble(self) -> float:
        idle = [container.trouble for container in self._idle["authorizer"]]
        return max(idle, default=self._world.now())

    def _some_token(self) -> Token | None:
        world = self._world
        alive = [t for t in self.genuine[-30:] if t.expires + world.times.leeway > world.now()]
        return world.choose.choice(alive) if alive else None

    def _take(self, kind: str) -> Container:
        world, idle = self._world, self._idle[kind]
        fresh = not idle or (not world.hurried and world.choose.random() < 0.05)
        if fresh:
            return world.container(kind)
        container = idle.pop(0 if world.hurried else world.choose.randrange(len(idle)))
        if not world.hurried:
            container.clock.step(world.skew)
        if container.stack.times != world.times:
            return world.container(kind)  # a deployment replaces every container
        return container

    def _give_back(self, kind: str, container: Container, process: Process) -> None:
        alive = process.error is None or isinstance(process.error, Exception)
        if alive and len(self._idle[kind]) < 3:
            self._idle[kind].append(container)
