"""Addresses of billing, under `/billing/`. Ids only: no patient data."""

from __future__ import annotations

from django.urls import path

from openward.billing.views import accounts, claims, fees, pay, remittances, worklist

app_name = "billing"

urlpatterns = [
    path("consents-wanted", worklist.consent_wanted, name="consent-wanted"),
    path("", worklist.claims, name="claims"),
    path("search", worklist.search, name="search"),
    path("submit", worklist.submit, name="submit"),
    path("visits/<str:visit>/claim", worklist.visit_claim, name="visit-claim"),
    path("visits/<str:visit>/bill", worklist.visit_bill, name="visit-bill"),
    path("options/fees", claims.fee_options, name="fee-options"),
    path("options/diagnoses", claims.diagnosis_options, name="diagnosis-options"),
    path("claims/<str:claim>", claims.claim, name="claim"),
    path("claims/<str:claim>/lines/new", claims.new_line, name="claim-line-new"),
    path("claims/<str:claim>/lines/<int:line>", claims.line, name="claim-line"),
    path("claims/<str:claim>/lines/<int:line>/drop", claims.drop_line, name="claim-line-drop"),
    path("claims/<str:claim>/diagnoses", claims.diagnoses, name="claim-diagnoses"),
    path("claims/<str:claim>/insurance", claims.coverage, name="claim-coverage"),
    path("claims/<str:claim>/check", claims.check, name="claim-check"),
    path("claims/<str:claim>/submit", claims.submit, name="claim-submit"),
    path("claims/<str:claim>/correct", claims.correct, name="claim-correct"),
    path("claims/<str:claim>/throw-away", claims.throw_away, name="claim-throw-away"),
    path("claims/<str:claim>/refused", claims.denial, name="claim-denial"),
    path("claims/<str:claim>/file", claims.file_preview, name="claim-837"),
    path("files/<uuid:submission>", claims.submission, name="submission"),
    path("remittances", remittances.remittances, name="remittances"),
    path("remittances/upload", remittances.upload, name="upload"),
    path("remittances/collect", remittances.collect, name="collect"),
    path("remittances/<uuid:remittance>", remittances.remittance, name="remittance"),
    path("remittances/<uuid:remittance>/file", remittances.file, name="remittance-file"),
    path("remittances/<uuid:remittance>/close", remittances.close, name="close"),
    path("remittances/<uuid:remittance>/<int:place>/match", remittances.match, name="match"),
    path("remittances/<uuid:remittance>/<int:place>/set-aside", remittances.set_aside, name="set-aside"),
    path("to-sort-out", remittances.unmatched, name="unmatched"),
    path("to-sort-out/files/<uuid:file>/seen", remittances.seen, name="seen"),
    path("accounts", accounts.accounts, name="accounts"),
    path("accounts/find", accounts.find, name="find-account"),
    path("accounts/<str:patient>", accounts.account, name="account"),
    path("accounts/<str:patient>/statement", accounts.statement, name="statement"),
    path("accounts/<str:patient>/text-to-pay", accounts.text_to_pay, name="text-to-pay"),
    path("accounts/<str:patient>/paperless", accounts.paperless, name="paperless"),
    path("accounts/<str:patient>/card", accounts.take_card, name="take-card"),
    path("accounts/<str:patient>/cash", accounts.take_cash, name="take-cash"),
    path("accounts/<str:patient>/forgive", accounts.forgive, name="forgive"),
    path("accounts/<str:patient>/payments/<uuid:payment>/refund", accounts.refund, name="refund"),
    path("statements/<uuid:statement>.pdf", accounts.statement_pdf, name="statement-pdf"),
    path("payments/<uuid:payment>.pdf", accounts.receipt, name="receipt-pdf"),
    path("fees", fees.fees, name="fees"),
    path("fees/find", fees.find, name="find-fee"),
    path("fees/import", fees.load, name="fee-import"),
    path("fees/new", fees.new, name="fee-new"),
    path("fees/<str:code>", fees.edit, name="fee"),
    path("fees/<str:code>/retire", fees.retire, name="fee-retire"),
    path("pay/<str:token>", pay.pay, name="pay"),
    path("pay/<str:token>/receipt", pay.paid, name="paid"),
    path("pay/<str:token>/receipt.pdf", pay.paid_pdf, name="paid-pdf"),
]
