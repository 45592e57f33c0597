"""Sealing the trail: batches of entries under a Merkle root, signed, each bound to the one before, their digests kept outside too.

The writers of the trail know nothing of it and wait for nothing: a batch is whatever stands between the last seal and the oldest transaction
that is still under way, and what a transaction adds later is never behind that line.
"""
