"""The demo clinic: an invented hospital with patients, staff, history, money and a day in full swing.

`content/` holds facts (codes, schedules, names), `generation/` turns a seed and a date into FHIR resources without
touching a database, `clinic.py` loads them through the one door, and the rest is the persona switcher.
"""
