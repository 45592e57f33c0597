"""The pages of registration: finding, registering, the patient's page, coverage."""
