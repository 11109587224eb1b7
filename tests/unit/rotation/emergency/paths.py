"""The states that executions go through; a test of each holds the list to the definition."""

from tests.definition import STATES

GREEN = {"Overtaken", "Rotated", "NotDue"}  # how a rotation or a rollback ends well
ROTATION = [
    "KeepRequest",
    "PlanRotation",
    "IsRotationDue",
    "CreateKey",
    "PublishJwks",
    "IsStandbyPublished",
    "WaitForPropagation",
    "ProbeKey",
    "IsKeyProved",
    "ActivateKey",
    "IsKeyActivated",
    "CreateKeyAfterActivate",
    "PublishJwksAfterActivate",
    "WasKeySuperseded",
    "WaitForGrace",
    "RetireKey",
    "IsKeyRetired",
    "PublishJwksAfterRetire",
    "DestroyKey",
    "Rotated",
]
ROLLBACK = [
    "KeepRequest",
    "PlanRotation",
    "IsRotationDue",
    "RollBackKey",
    "IsKeyRolledBack",
    "PublishJwksAfterRollBack",
    "WasKeySuperseded",
    "WaitForGrace",
    "RetireKey",
    "IsKeyRetired",
    "PublishJwksAfterRetire",
    "DestroyKey",
    "Rotated",
]
EMERGENCY = [
    "KeepRequest",
    "PlanRotation",
    "IsRotationDue",
    "RevokeKeys",
    "DisableKeys",
    "PublishJwksAfterRevoke",
    "ReplaceKeys",
    "PublishJwksAfterReplace",
    "WaitForViews",
    "FlushAuthorizers",
    "ConcludeEmergency",
    "Revoked",
]


def stops(path: list[str]) -> list[str]:
    """Where an execution can be met: before a Task or a Wait, and at its end."""
    return [name for name in path if STATES[name]["Type"] not in ("Pass", "Choice")]
