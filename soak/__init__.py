"""The soak: commands killed at any instant, disks that run full, damaged inputs and hostile models, counted over runs.

``python -m soak --minutes 30`` runs it from the repository's root; :mod:`soak.tally` says what is counted.
"""
