"""SSM, KMS, S3 and tagging in memory, as far as the product calls them: fast enough for many seeds.

Every call first lets `before(operation)` act, so that another execution can come in between two
calls of one step. Errors are botocore's own; KMS minds the states of its keys.
"""

import hashlib
import io
from types import SimpleNamespace

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ARN = "arn:aws:kms:us-east-1:123456789012:key/"


def refused(code: str) -> ClientError:
    """An answer of AWS with this error code."""
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(answer, "Operation")


class Memory:
    """All clients in one object; `clients` is what a Stack is given."""

    def __init__(self, clock, rsa_keys) -> None:
        self._clock, self._rsa = clock, iter(rsa_keys)
        self.parameters: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.objects: dict[str, dict] = {}
        self.keys: dict[str, SimpleNamespace] = {}
        self.before = lambda operation: None
        names = ("ssm", "ssm_timed", "kms", "kms_once", "s3", "tagging", "apigateway")
        self.clients = SimpleNamespace(**dict.fromkeys(names, self))

    def get_paginator(self, name):
        """The pages of one listing, all in one."""
        return SimpleNamespace(paginate=lambda **params: [getattr(self, f"_{name}")(**params)])

    # ---- SSM

    def _get_parameters_by_path(self, Path):  # noqa: N803 - boto3's names, here and below
        self.before("GetParametersByPath")
        found = [(n, v) for n, v in self.parameters.items() if n.startswith(f"{Path}/")]
        return {"Parameters": [{"Name": name, "Value": value} for name, value in found]}

    def get_parameters(self, Names):  # noqa: N803
        """SSM GetParameters."""
        self.before("GetParameters")
        found = [(name, self.parameters[name]) for name in Names if name in self.parameters]
        return {"Parameters": [{"Name": name, "Value": value} for name, value in found]}

    def put_parameter(self, Name, Value, Type, Tier, Overwrite):  # noqa: N803
        """SSM PutParameter: create-if-absent, nothing else is ever asked for."""
        assert (Type, Tier, Overwrite) == ("String", "Standard", False)
        self.before("PutParameter")
        if Name in self.parameters:
            raise refused("ParameterAlreadyExists")
        self.parameters[Name] = Value

    def delete_parameters(self, Names):  # noqa: N803
        """SSM DeleteParameters."""
        self.before("DeleteParameters")
        for name in Names:
            del self.parameters[name]
            self.deleted.add(name)

    # ---- KMS and its tags

    def create_key(self, KeySpec, KeyUsage, Description, Tags):  # noqa: N803
        """KMS CreateKey."""
        self.before("CreateKey")
        arn = f"{ARN}{len(self.keys):012d}"
        self.keys[arn] = SimpleNamespace(
            private=next(self._rsa), state="Enabled", created=self._clock.now(), tags=Tags
        )
        return self.describe_key(arn, told=False)

    def describe_key(self, KeyId, *, told=True):  # noqa: N803
        """KMS DescribeKey."""
        if told:
            self.before("DescribeKey")
        key = self.keys[KeyId]
        return {"KeyMetadata": {"Arn": KeyId, "CreationDate": key.created, "KeyState": key.state}}

    def get_public_key(self, KeyId):  # noqa: N803
        """KMS GetPublicKey."""
        self.before("GetPublicKey")
        public = self._usable(KeyId).private.public_key()
        return {"PublicKey": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}

    def sign(self, KeyId, Message, MessageType, SigningAlgorithm):  # noqa: N803
        """KMS Sign."""
        assert (MessageType, SigningAlgorithm) == ("RAW", "RSASSA_PKCS1_V1_5_SHA_256")
        self.before("Sign")
        return {"Signature": self._usable(KeyId).private.sign(Message, PKCS1v15(), SHA256())}

    def disable_key(self, KeyId):  # noqa: N803
        """KMS DisableKey."""
        self.before("DisableKey")
        if self.keys[KeyId].state == "PendingDeletion":
            raise refused("KMSInvalidStateException")
        self.keys[KeyId].state = "Disabled"

    def schedule_key_deletion(self, KeyId, PendingWindowInDays):  # noqa: N803
        """KMS ScheduleKeyDeletion."""
        self.before("ScheduleKeyDeletion")
        if self.keys[KeyId].state == "PendingDeletion":
            raise refused("KMSInvalidStateException")
        self.keys[KeyId].state = "PendingDeletion"

    def _usable(self, arn):
        state = self.keys[arn].state
        if state == "Enabled":
            return self.keys[arn]
        raise refused("DisabledException" if state == "Disabled" else "KMSInvalidStateException")

    def _get_resources(self, ResourceTypeFilters, TagFilters):  # noqa: N803
        self.before("GetResources")
        return {
            "ResourceTagMappingList": [
                {
                    "ResourceARN": arn,
                    "Tags": [{"Key": t["TagKey"], "Value": t["TagValue"]} for t in key.tags],
                }
                for arn, key in self.keys.items()
            ]
        }

    # ---- S3

    def get_object(self, Bucket, Key):  # noqa: N803
        """S3 GetObject."""
        self.before("GetObject")
        if Key not in self.objects:
            raise refused("NoSuchKey")
        return {**self.objects[Key], "Body": io.BytesIO(self.objects[Key]["Body"])}

    def put_object(self, Bucket, Key, Body, Metadata=None, IfMatch=None, **told):  # noqa: N803
        """S3 PutObject: always on the condition of an ETag, or of there being nothing yet."""
        self.before("PutObject")
        if self.objects.get(Key, {}).get("ETag") != IfMatch:
            raise refused("PreconditionFailed")
        etag = hashlib.sha256(repr((Body, Metadata)).encode()).hexdigest()
        self.objects[Key] = {**told, "Body": Body, "Metadata": Metadata or {}, "ETag": etag}
