"""The names of the repairs; reconcile.py carries them out."""

from enum import StrEnum


class Repair(StrEnum):
    """A repair's name in the log, in events and as the `reason` of a generation."""

    RESTORE_GENERATIONS = "restore_generations"
    JOIN_BRANCHES = "join_branches"
    RETIRE_OVERDUE_KEYS = "retire_overdue_keys"
    FORGET_CUTOFFS = "forget_cutoffs"
    RESTORE_ACTIVE_KEY = "restore_active_key"
    RESTORE_STANDBY = "restore_standby"
    REMOVE_UNLAWFUL_GENERATIONS = "remove_unlawful_generations"
    STEP_OVER_UNLAWFUL_GENERATIONS = "step_over_unlawful_generations"
    PUBLISH_JWKS = "publish_jwks"
    DESTROY_ENDED_KEYS = "destroy_ended_keys"
    RECORD_GENERATIONS = "record_generations"
    PRUNE_GENERATIONS = "prune_generations"
    SWEEP_ORPHANS = "sweep_orphans"
    CHECK_LIVE_KEYS = "check_live_keys"
    REPORT_FOREIGN_OBJECTS = "report_foreign_objects"
