from __future__ import annotations

from django.urls import path

from openward.entrance.views import elsewhere, enrolling, invitations, inviting, locking, passkey, resetting, second, security, signing, switching

app_name = "accounts"
urlpatterns = [
    path("sign-in", signing.sign_in, name="sign-in"),
    path("sign-out", signing.sign_out, name="sign-out"),
    path("password", signing.password, name="password"),
    path("second-step", second.second_step, name="second-step"),
    path("passkey", passkey.passkey, name="passkey"),
    path("passkey/options", passkey.passkey_options, name="passkey-options"),
    path("set-up", enrolling.enrol, name="enrol"),
    path("set-up/app", enrolling.add_app, name="add-app"),
    path("set-up/passkey", enrolling.add_passkey, name="add-passkey"),
    path("security", security.security, name="security"),
    path("security/again", security.again, name="again"),
    path("security/pin", security.pin, name="pin"),
    path("security/passkey-only", security.no_password, name="no-password"),
    path("security/recovery-codes", security.recovery_codes, name="recovery-codes"),
    path("security/factors/<int:id>/remove", security.remove_factor, name="remove-factor"),
    path("security/sessions/end-others", security.end_other_sessions, name="end-other-sessions"),
    path("security/sessions/<str:handle>/end", security.end_session, name="end-session"),
    path("lock", locking.lock, name="lock"),
    path("locked", locking.locked, name="locked"),
    path("switch", switching.switch, name="switch"),
    path("switch/leave", switching.leave, name="leave"),
    path("switch/come-back", switching.come_back, name="come-back"),
    path("forgot", resetting.forgot, name="forgot"),
    path("reset/<str:token>", resetting.reset, name="reset"),
    path("invite/<str:patient>", inviting.invite, name="invite"),
    path("invitation", invitations.invitation_code, name="invitation-code"),
    path("invitation/<str:token>", invitations.invitation, name="invitation"),
    path("elsewhere/<str:provider>", elsewhere.go_elsewhere, name="elsewhere"),
    path("elsewhere/<str:provider>/connect", elsewhere.connect, name="connect"),
    path("elsewhere/<str:provider>/disconnect", elsewhere.disconnect, name="disconnect"),
]
