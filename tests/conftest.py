"""Hypothesis's profiles: ``--hypothesis-profile=thorough`` hunts with twenty times the examples."""

from hypothesis import settings

settings.register_profile("thorough", max_examples=2000, deadline=None)
