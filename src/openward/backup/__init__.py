"""Backup of the embedded database and the data folder, restore to a point in time, and the drill that proves the last backup.

A *place* holds *series*; a series is one base backup and the write-ahead log (WAL) since, in *marks*: after each mark any moment before it can be restored.
"""
