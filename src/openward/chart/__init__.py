"""The chart: what is known of a patient, and what is done for them in a visit."""
