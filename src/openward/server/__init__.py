"""The Django project, the WSGI application with the FHIR API beside it, the live process, and what supervises them."""
