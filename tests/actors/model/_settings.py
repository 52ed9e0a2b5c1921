"""How many examples a property is tried with."""

from hypothesis import settings

__all__ = ["examples"]

_USUAL = 100


def examples(number: int) -> settings:
    """So many, in proportion to what the profile in use gives beyond Hypothesis's usual hundred.

    Without a deadline: a Trio run's time says more about the machine than about the code.
    """
    profile = settings.get_profile(settings.get_current_profile_name())
    return settings(max_examples=max(1, number * profile.max_examples // _USUAL), deadline=None)
