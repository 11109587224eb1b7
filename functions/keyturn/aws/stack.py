"""The deployed stack as its functions see it: settings, clock and one adapter per AWS service."""

import os
from functools import cache, cached_property
from typing import TYPE_CHECKING, Self, TypeVar

from keyturn.aws.clients import Clients
from keyturn.aws.clock import Clock, SystemClock
from keyturn.aws.keyset.reader import KeysetReader
from keyturn.aws.settings import Settings
from keyturn.aws.view import Reader, View
from keyturn.keyset.model import Generation
from keyturn.keyset.timing import Limits, Times
from keyturn.tokens.claims import Expectations

if TYPE_CHECKING:
    from keyturn.access.api import Api
    from keyturn.access.client import Client
    from keyturn.aws.edge_cache import EdgeCache
    from keyturn.aws.event_bus import EventBus
    from keyturn.aws.executions import Executions
    from keyturn.aws.gateway_cache import GatewayCache
    from keyturn.aws.keyset.history import History
    from keyturn.aws.keyset.kms_keys import KmsKeys
    from keyturn.aws.keyset.public_keys import PublicKeys
    from keyturn.aws.keyset.store import KeysetStore
    from keyturn.aws.keyset.well_known import WellKnown
    from keyturn.aws.registry import Registry, Views

T = TypeVar("T")


class Stack:
    """Each part is imported and created when first used, so a cold start pays only for those."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        clients: Clients | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.settings = settings
        self.stack = settings.stack
        self.role_prefix = settings.role_prefix
        self.limits = limits or Limits()
        self.clock = clock or SystemClock()
        self.clients = clients or Clients(settings.times.write_delay)

    @classmethod
    @cache
    def from_environment(cls) -> Self:
        """The stack that this function belongs to; one object per container."""
        return cls(Settings.from_environ(os.environ))

    @property
    def times(self) -> Times:
        """The settings' times."""
        return self.settings.times

    @cached_property
    def keysets(self) -> "KeysetStore":
        """The truth."""
        from keyturn.aws.keyset.store import KeysetStore

        return KeysetStore(self.stack, self.clock, self.clients.ssm, self.clients.ssm_timed)

    @cached_property
    def view(self) -> View[Generation]:
        """The truth as this container last saw it."""
        return self._view(KeysetReader(self.stack, self.clients.ssm))

    def _view(self, reader: Reader[T]) -> View[T]:
        times = self.times
        return View(reader, self.clock, ttl=times.view_ttl, stale_limit=times.stale_limit)

    @cached_property
    def client_documents(self) -> "Registry[Client]":
        """The documents that say what each client may have."""
        from keyturn.aws import registry

        return registry.client_registry(self.stack, self.clients.ssm)

    @cached_property
    def api_documents(self) -> "Registry[Api]":
        """The documents that say what each API accepts."""
        from keyturn.aws import registry

        return registry.api_registry(self.stack, self.clients.ssm)

    @cached_property
    def client_views(self) -> "Views[Client]":
        """What each client may have, as this container last saw it."""
        from keyturn.aws.registry import Views

        return Views(self.client_documents, self._view)

    @cached_property
    def api_views(self) -> "Views[Api]":
        """What each API accepts, as this container last saw it."""
        from keyturn.aws.registry import Views

        return Views(self.api_documents, self._view)

    @cached_property
    def kms(self) -> "KmsKeys":
        """The signing keys."""
        from keyturn.aws.keyset.kms_keys import KmsKeys

        return KmsKeys(self.stack, self.role_prefix, self.clients)

    @cached_property
    def public_keys(self) -> "PublicKeys":
        """The public keys to verify with."""
        from keyturn.aws.keyset.public_keys import PublicKeys

        return PublicKeys(self.kms)

    def api(self, api_id: str | None) -> "Api":
        """What an API accepts, at most `StaleLimit` old; raises ViewTooOld, AwsFault.

        Without a document, or if `api_id` is None, the stack's own settings apply.
        """
        api = api_id and self.api_views.view(api_id).get()
        return api or self._default_api

    @cached_property
    def _default_api(self) -> "Api":
        from keyturn.access.api import Api

        return Api("", self.settings.audience, self.settings.route_scopes)

    def expectations(self, audience: str) -> Expectations:
        """What the authorizer requires of a token for this audience."""
        settings = self.settings
        return Expectations(settings.issuer, audience, self.times.leeway, settings.former_issuer)

    @cached_property
    def well_known(self) -> "WellKnown":
        """The public documents in the bucket."""
        from keyturn.aws.keyset.well_known import WellKnown

        return WellKnown(
            self.clients.s3,
            self.settings.bucket,
            issuer=self.settings.issuer,
            token_url=self.settings.token_url,
            max_age=self.times.jwks_max_age,
        )

    @cached_property
    def gateway_cache(self) -> "GatewayCache":
        """API Gateway's cache of authorizer answers."""
        from keyturn.aws.gateway_cache import GatewayCache

        return GatewayCache(self.clients)

    @cached_property
    def edge_cache(self) -> "EdgeCache":
        """CloudFront's cache of the JWKS."""
        from keyturn.aws.edge_cache import EdgeCache

        return EdgeCache(self.clients, self.settings.distribution)

    @cached_property
    def history(self) -> "History":
        """The record of all generations in the bucket."""
        from keyturn.aws.keyset.history import History

        return History(self.clients.s3, self.settings.bucket)

    @cached_property
    def event_bus(self) -> "EventBus":
        """The event bus for events about keys and tokens."""
        from keyturn.aws.event_bus import EventBus

        return EventBus(self.clients.events, self.stack)

    @cached_property
    def executions(self) -> "Executions":
        """The workflow's executions."""
        from keyturn.aws.executions import Executions

        return Executions(self.clients, self.clock)
