"""What FHIR cannot guard: the books, the fee schedule, and each file and payment that must count once.

The tables are made with SQL in the migration: their triggers and constraints are the point of them. `tenant` leads every key.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


def _money(**options: object) -> models.DecimalField:
    return models.DecimalField(max_digits=12, decimal_places=2, **options)  # type: ignore[arg-type]


class LedgerAccount(models.Model):
    """A column of the books; `kind` says which side its balance normally stands on."""

    pk = models.CompositePrimaryKey("tenant", "code")
    tenant = models.IntegerField()
    code = models.TextField()
    kind = models.TextField()
    title = models.TextField()

    class Meta:
        managed = False
        db_table = "ledger_account"

    def __str__(self) -> str:
        return self.code


class LedgerTransaction(models.Model):
    """One event of money. `source_kind` and `source_id` name what it came from; one source is posted once."""

    pk = models.CompositePrimaryKey("tenant", "id")
    tenant = models.IntegerField()
    id = models.UUIDField()
    kind = models.TextField()
    source_kind = models.TextField()
    source_id = models.TextField()
    on_date = models.DateField()
    posted_at = models.DateTimeField()
    by_actor = models.TextField()
    words = models.TextField()

    class Meta:
        managed = False
        db_table = "ledger_transaction"

    def __str__(self) -> str:
        return f"{self.kind} {self.source_kind}:{self.source_id}"


class LedgerEntry(models.Model):
    """One side of a transaction: exactly one of `debit` and `credit` is more than zero."""

    pk = models.CompositePrimaryKey("tenant", "transaction", "place")
    tenant = models.IntegerField()
    transaction = models.UUIDField()
    place = models.SmallIntegerField()
    account = models.TextField()
    debit = _money()
    credit = _money()
    patient = models.TextField(null=True)  # noqa: DJ001 - absence is a fact of its own
    claim = models.TextField(null=True)  # noqa: DJ001 - absence is a fact of its own
    payer = models.TextField(null=True)  # noqa: DJ001 - absence is a fact of its own

    class Meta:
        managed = False
        db_table = "ledger_entry"

    def __str__(self) -> str:
        return f"{self.account} {self.debit} {self.credit}"


class Fee(models.Model):
    """One line of the fee schedule. `charged_for` says what makes the charge: `visit:follow-up`, `order:laboratory`, `immunization:*` …"""

    pk = models.CompositePrimaryKey("tenant", "code")
    tenant = models.IntegerField()
    code = models.TextField()
    system = models.TextField()
    description = models.TextField()
    price = _money()
    charged_for = ArrayField(models.TextField(), default=list)
    is_active = models.BooleanField(default=True)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.TextField()

    class Meta:
        managed = False
        db_table = "billing_fee"

    def __str__(self) -> str:
        return self.code


class ClaimRow(models.Model):
    """A claim as the worklist counts it; written by the guard on Claim only. `labels` are its sensitivity labels, none for most."""

    pk = models.CompositePrimaryKey("tenant", "claim")
    tenant = models.IntegerField()
    claim = models.TextField()
    number = models.TextField()
    patient = models.TextField(null=True)  # noqa: DJ001 - absence is a fact of its own
    visit = models.TextField(null=True)  # noqa: DJ001 - absence is a fact of its own
    payer = models.TextField(null=True)  # noqa: DJ001 - absence is a fact of its own
    state = models.TextField()
    total = _money()
    served_on = models.DateField(null=True)
    submitted_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    labels = ArrayField(models.TextField(), default=list)

    class Meta:
        managed = False
        db_table = "billing_claim"

    def __str__(self) -> str:
        return f"{self.number} {self.state}"


class VisitToBill(models.Model):
    """A signed visit without a claim, and what it waits for. Entered by the guard on Composition; leaves when it is claimed or billed."""

    class Reason(models.TextChoices):
        QUEUED = "queued"
        NO_COVERAGE = "no-coverage"
        NO_CHARGES = "no-charges"

    pk = models.CompositePrimaryKey("tenant", "visit")
    tenant = models.IntegerField()
    visit = models.TextField()
    patient = models.TextField()
    signed_at = models.DateTimeField(auto_now_add=True)
    served_on = models.DateField()
    reason = models.TextField()

    class Meta:
        managed = False
        db_table = "billing_visit"

    def __str__(self) -> str:
        return f"{self.visit} {self.reason}"


class Submission(models.Model):
    """One 837P file. `state` is `writing` until the file stands in the folder, then `sent`; `body` is what was written."""

    pk = models.CompositePrimaryKey("tenant", "id")
    tenant = models.IntegerField()
    id = models.UUIDField()
    control = models.BigIntegerField()
    file_name = models.TextField()
    sha256 = models.BinaryField()
    claims = ArrayField(models.TextField())
    total = _money()
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.TextField()
    state = models.TextField()
    body = models.BinaryField()

    class Meta:
        managed = False
        db_table = "billing_submission"

    def __str__(self) -> str:
        return self.file_name


class RemittanceFile(models.Model):
    """A file of remittances as it came; the same bytes are taken once."""

    pk = models.CompositePrimaryKey("tenant", "id")
    tenant = models.IntegerField()
    id = models.UUIDField()
    name = models.TextField()
    sha256 = models.BinaryField()
    size = models.IntegerField()
    body = models.BinaryField()
    received_at = models.DateTimeField(auto_now_add=True)
    received_by = models.TextField()

    class Meta:
        managed = False
        db_table = "billing_remittance_file"

    def __str__(self) -> str:
        return self.name


class RemittanceRow(models.Model):
    """One payment of a payer: posted, quarantined whole with the reason, or closed by a person. Payer and trace are posted once."""

    class State(models.TextChoices):
        POSTED = "posted"
        QUARANTINED = "quarantined"
        CLOSED = "closed"

    pk = models.CompositePrimaryKey("tenant", "id")
    tenant = models.IntegerField()
    id = models.UUIDField()
    file = models.UUIDField()
    payer = models.TextField()
    trace = models.TextField()
    payer_name = models.TextField()
    amount = _money()
    paid_on = models.DateField()
    state = models.TextField()
    reason = models.TextField(blank=True)
    reconciliation = models.TextField(blank=True)
    posted_at = models.DateTimeField(auto_now_add=True)
    closed_by = models.TextField(blank=True)
    closed_why = models.TextField(blank=True)

    class Meta:
        managed = False
        db_table = "billing_remittance"

    def __str__(self) -> str:
        return f"{self.payer} {self.trace}"


class RemittanceItem(models.Model):
    """One claim of a remittance; `unmatched` waits for a person, who matches it to a claim or sets it aside with a reason."""

    class State(models.TextChoices):
        POSTED = "posted"
        UNMATCHED = "unmatched"
        MATCHED = "matched"
        SET_ASIDE = "set-aside"

    pk = models.CompositePrimaryKey("tenant", "remittance", "place")
    tenant = models.IntegerField()
    remittance = models.UUIDField()
    place = models.IntegerField()
    claim_number = models.TextField()
    status = models.TextField()
    charge = _money()
    paid = _money()
    payer_control = models.TextField()
    state = models.TextField()
    reason = models.TextField(blank=True)
    claim = models.TextField(null=True)  # noqa: DJ001 - absence is a fact of its own
    patient = models.TextField(null=True)  # noqa: DJ001 - absence is a fact of its own
    worked_by = models.TextField(blank=True)
    worked_at = models.DateTimeField(null=True)
    worked_why = models.TextField(blank=True)

    class Meta:
        managed = False
        db_table = "billing_remittance_item"

    def __str__(self) -> str:
        return f"{self.claim_number} {self.state}"


class RefusedFile(models.Model):
    """A file that could not be read at all, with the reason and the place of the fault."""

    pk = models.CompositePrimaryKey("tenant", "id")
    tenant = models.IntegerField()
    id = models.UUIDField()
    name = models.TextField()
    sha256 = models.BinaryField()
    reason = models.TextField()
    refused_at = models.DateTimeField(auto_now_add=True)
    seen_by = models.TextField(blank=True)

    class Meta:
        managed = False
        db_table = "billing_refused_file"

    def __str__(self) -> str:
        return self.name


class Payment(models.Model):
    """Money from a patient. `key` makes a repeated request the same payment; of a card only the last four digits are kept."""

    class State(models.TextChoices):
        STARTED = "started"
        PAID = "paid"
        DECLINED = "declined"

    pk = models.CompositePrimaryKey("tenant", "id")
    tenant = models.IntegerField()
    id = models.UUIDField()
    key = models.TextField()
    patient = models.TextField()
    method = models.TextField()
    amount = _money()
    state = models.TextField()
    reason = models.TextField(blank=True)
    processor_id = models.TextField(blank=True)
    last4 = models.TextField(blank=True)
    notice = models.TextField(blank=True)
    receipt = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.TextField()

    class Meta:
        managed = False
        db_table = "billing_payment"

    def __str__(self) -> str:
        return self.receipt


class Refund(models.Model):
    """Money of a payment on its way back. `key` makes a repeated request the same refund; what was given is in the ledger."""

    class State(models.TextChoices):
        STARTED = "started"
        GIVEN = "given"
        DECLINED = "declined"

    pk = models.CompositePrimaryKey("tenant", "id")
    tenant = models.IntegerField()
    id = models.UUIDField()
    payment = models.UUIDField()
    key = models.TextField()
    amount = _money()
    why = models.TextField()
    state = models.TextField()
    reason = models.TextField(blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.TextField()

    class Meta:
        managed = False
        db_table = "billing_refund"

    def __str__(self) -> str:
        return f"{self.amount} of {self.payment}"


class Statement(models.Model):
    """A statement as it was sent, with its PDF; the facts are the Invoice named in `invoice`.

    `labels` are the sensitivity labels of the visits it explains in clear; null where it was made before they were kept.
    """

    pk = models.CompositePrimaryKey("tenant", "id")
    tenant = models.IntegerField()
    id = models.UUIDField()
    number = models.TextField()
    patient = models.TextField()
    invoice = models.TextField()
    balance = _money()
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.TextField()
    due_on = models.DateField()
    pdf = models.BinaryField()
    paperless = models.BooleanField()
    labels = ArrayField(models.TextField(), null=True)

    class Meta:
        managed = False
        db_table = "billing_statement"

    def __str__(self) -> str:
        return self.number


class PaymentLink(models.Model):
    """A link to pay without an account. Only the digest of its token is kept; it pays once and expires."""

    pk = models.CompositePrimaryKey("tenant", "id")
    tenant = models.IntegerField()
    id = models.UUIDField()
    token_digest = models.BinaryField()
    patient = models.TextField()
    statement = models.UUIDField(null=True)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.TextField()
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    payment = models.UUIDField(null=True)

    class Meta:
        managed = False
        db_table = "billing_payment_link"

    def __str__(self) -> str:
        return str(self.id)
