"""Envelope encryption: what may not stand in clear in the database is sealed under data keys, and those under a key outside it.

`seal` and `unseal` in `sealing`, `SealedTextField` in `fields`; the outer key (KEK) is in a file or a key service, see `outer`.
"""
