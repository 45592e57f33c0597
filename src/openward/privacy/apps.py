from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PrivacyConfig(AppConfig):
    name = "openward.privacy"
    label = "privacy"

    def ready(self) -> None:
        from openward.access.permissions import Permission
        from openward.audit.touched import KEPT_FROM_PATIENTS
        from openward.privacy.breakglass import health  # noqa: F401 - registers that reviews are in time
        from openward.privacy.labelling import jobs as labelling  # noqa: F401 - registers the pass over what is stored
        from openward.privacy.snooping import jobs  # noqa: F401 - registers the nightly report
        from openward.privacy.suspensions.actions import kept_from_the_patient
        from openward.web import navigation
        from openward.web.homes import register_home

        navigation.register(navigation.Entry("privacy:home", _("Who saw what"), "eye", Permission.READ_AUDIT, group="practice", order=5, key="g a"))
        KEPT_FROM_PATIENTS.append(kept_from_the_patient)
        register_home("privacy-officer", "privacy:home")
        navigation.register(
            navigation.Entry("privacy:openings", _("Emergency access"), "siren", Permission.REVIEW_PRIVACY, group="practice", order=6),
            navigation.Entry("privacy:lookups", _("Look-ups to examine"), "search-x", Permission.REVIEW_PRIVACY, group="practice", order=7),
            navigation.Entry("privacy:breaches", _("Breaches"), "shield-alert", Permission.REVIEW_PRIVACY, group="practice", order=7),
            navigation.Entry("privacy:retention", _("How long it is kept"), "archive", Permission.REVIEW_PRIVACY, group="practice", order=9),
            navigation.Entry("privacy:proxies", _("Who looks after whom"), "users-round", Permission.GRANT_PROXIES, group="practice", order=8),
            navigation.Entry("privacy:rules", _("Label rules"), "tag", Permission.REVIEW_PRIVACY, group="practice", order=9),
            navigation.Entry("privacy:consents-find", _("Consents"), "handshake", Permission.RECORD_CONSENTS, group="practice", order=8),
            navigation.Entry("privacy:emergency", _("Emergency access"), "siren", Permission.BREAK_GLASS, group="care", order=80),
        )
