"""The cut test: a fleet whose network breaks at random, under a stream of tasks.

``python -m soak`` (or ``nox -s soak``) runs ``aip-trio server``, devices and orchestrators as processes, with
proxies between them that drop, stall and truncate TCP. What the devices have really done is read from the
journals that their own tool writes, and compared with what was asked: nothing lost, nothing twice, in order.

``python -m soak.events`` and ``python -m soak.kills`` are the two of the rpc service: a subscriber that is
stopped, and a service that is killed.
"""
