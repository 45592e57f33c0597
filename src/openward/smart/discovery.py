"""What clients read first: what this server can do for apps, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from openward.smart.context import Asking
from openward.smart.words import CATEGORIES

CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "context-standalone-encounter",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)
SCOPES = (
    "openid",
    "fhirUser",
    "launch",
    "launch/patient",
    "launch/encounter",
    "online_access",
    "offline_access",
    "patient/*.cruds",
    "patient/*.rs",
    "user/*.cruds",
    "user/*.rs",
    "system/*.cruds",
    "system/*.rs",
    # Whatever type and token parameter there is may stand there; these are the ones a patient is offered, and US Core asks to have listed.
    *(f"{level}/{type}.rs?category={token}" for level in ("patient", "user") for type, tokens in CATEGORIES.items() for token in tokens),
)
METHODS = ("client_secret_basic", "private_key_jwt")
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def smart_configuration(asking: Asking) -> dict[str, Any]:
    """https://hl7.org/fhir/smart-app-launch/conformance.html#metadata"""
    return {
        **_shared(asking),
        "capabilities": list(CAPABILITIES),
        "management_endpoint": f"{asking.origin}/apps/connected",
        "user_access_brand_bundle": f"{asking.origin}/apps/brands",
        "user_access_brand_identifier": {"system": "urn:ietf:rfc:3986", "value": asking.origin},
    }


def openid_configuration(asking: Asking) -> dict[str, Any]:
    """https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata"""
    return {
        **_shared(asking),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "fhirUser"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def _shared(asking: Asking) -> dict[str, Any]:
    at = f"{asking.origin}/oauth"
    said: dict[str, Any] = {
        "issuer": asking.issuer,
        "jwks_uri": f"{at}/jwks",
        "authorization_endpoint": f"{at}/authorize",
        "token_endpoint": asking.token_url,
        "introspection_endpoint": f"{at}/introspect",
        "revocation_endpoint": f"{at}/revoke",
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "scopes_supported": list(SCOPES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "authorization_response_iss_parameter_supported": True,
    }
    return {**said, "registration_endpoint": f"{at}/register"} if settings.OPENWARD_SMART_REGISTRATION else said


def security(base: str) -> Mapping[str, Any]:
    """The security section of the CapabilityStatement at the FHIR base. https://hl7.org/fhir/smart-app-launch/conformance.html#using-cs"""
    at = f"{base.removesuffix('/fhir')}/oauth"
    uris = {"authorize": "authorize", "token": "token", "introspect": "introspect", "revoke": "revoke"}
    return {
        "extension": [{"url": OAUTH_URIS, "extension": [{"url": name, "valueUri": f"{at}/{path}"} for name, path in uris.items()]}],
        "cors": True,
        "service": [{"coding": [{"system": SECURITY_SERVICE, "code": "SMART-on-FHIR"}], "text": "OAuth 2 by the SMART App Launch profile"}],
        "description": "A bearer token (RFC 6750) on every request; what the token may not see does not exist.",
    }
