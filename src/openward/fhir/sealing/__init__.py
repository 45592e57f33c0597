"""What of a resource does not stand in clear in the database: attachments, social security numbers, the texts of sensitive notes.

`port`: what the house's keys are asked for. `rules`: what is sealed. `bodies`: a resource as it is stored, and back.
"""
