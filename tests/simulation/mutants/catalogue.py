"""Deliberate faults in the product, each of which the simulator must catch through the handlers.

They are what the design says was tried and broke, written as patches.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from tests.simulation.mutants import (
    apis,
    events,
    history,
    keys,
    lineage,
    memory,
    orphans,
    steps,
    views,
    waits,
    writes,
)

Mutant = Callable[[], AbstractContextManager[Any]]

MUTANTS: tuple[Mutant, ...] = (
    writes.a_generation_is_overwritten,
    waits.the_wait_equals_the_ttl,
    waits.the_publication_wait_lacks_omega,
    waits.the_publication_wait_lacks_the_views,
    waits.grace_is_the_token_lifetime,
    waits.grace_lacks_c_and_tau,
    waits.a_new_lifetime_applies_to_keys_in_use,
    writes.an_equal_jwks_is_not_written,
    writes.the_jwks_is_what_it_says_it_is,
    writes.the_jwks_is_written_without_a_condition,
    writes.the_jwks_body_lacks_its_generation,
    writes.published_before_it_was_read_back,
    writes.a_generation_is_kept_before_it_is_told,
    steps.activate_is_open_to_grace_keys,
    steps.an_unpublished_standby_is_activated,
    steps.keys_are_disabled_without_a_second_look,
    steps.a_key_is_created_before_one_is_revoked,
    steps.active_is_a_target,
    steps.authorizers_are_flushed_at_once,
    views.a_reader_goes_back,
    views.a_view_never_grows_too_old,
    views.the_issuer_goes_on_with_an_older_view,
    views.ages_count_from_the_answer,
    apis.a_document_is_never_read_again,
    apis.the_api_s_id_is_ignored,
    apis.the_stack_s_audience_is_every_api_s,
    apis.the_last_good_document_counts_for_ever,
    apis.a_document_that_does_not_parse_is_none,
    apis.all_apis_share_a_view,
    orphans.the_loser_of_a_race_deletes_its_key,
    orphans.the_sweep_ignores_the_jwks,
    orphans.the_sweep_takes_young_keys,
    memory.forgotten_keys_leave_no_horizon,
    memory.ends_are_forgotten_at_once,
    lineage.whatever_names_its_parent_follows,
    lineage.the_lowest_number_is_the_root,
    lineage.the_highest_number_counts,
    lineage.what_does_not_follow_blocks_the_name,
    history.an_object_of_the_number_is_the_generation,
    history.an_object_of_the_name_is_the_generation,
    history.other_bytes_stop_the_recording,
    history.whatever_says_that_it_follows_comes_back,
    history.any_object_of_the_number_backs_a_jwks,
    keys.iam_may_use_the_keys,
    keys.iam_may_lend_the_keys,
    keys.the_issuer_of_any_stack_signs,
    keys.whatever_is_tagged_is_ours,
    keys.another_policy_is_ours,
    keys.a_key_that_is_lent_is_ours,
    keys.a_key_of_any_kind_is_ours,
    keys.a_key_that_denies_us_ends_the_sweep,
    keys.a_tagged_key_is_adopted,
    events.an_input_says_what_a_state_says,
    events.a_key_retires_when_the_event_says_so,
    events.a_key_is_destroyed_when_the_event_says_so,
    events.a_custom_resource_believes_its_event,
    events.a_custom_resource_answers_anybody,
)
DELAY_MUTANTS: tuple[Mutant, ...] = (
    waits.newborns_are_waited_for_ten_seconds,
    waits.replacements_are_waited_for_one_after_the_other,
    waits.a_key_that_kms_does_not_know_counts_as_disabled,
    waits.a_new_role_that_is_refused_fails_the_creation,
    waits.the_probe_is_as_patient_as_any_step,
    waits.an_emergency_gives_up_after_seven_seconds,
)
LONG_RUN_MUTANTS: tuple[Mutant, ...] = (
    memory.ended_keys_are_never_forgotten,
    memory.unregistered_keys_stop_creation,
    memory.a_full_jwks_is_no_reason_to_wait,
    memory.generations_are_pruned_by_age_alone,
)
