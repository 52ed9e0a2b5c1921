"""What holds for all tests: Hypothesis's profiles, and an interrupt that arrives.

``--hypothesis-profile=thorough`` hunts with twenty times the examples.

None of them looks at the clock: how long an example takes says more about the machine, and what else runs on
it, than about the code.
"""

import signal

from hypothesis import HealthCheck, settings

settings.register_profile("usual", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("usual"), max_examples=2000)
settings.load_profile("usual")

# A shell without job control has what it starts in the background ignore SIGINT, and all that this starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
