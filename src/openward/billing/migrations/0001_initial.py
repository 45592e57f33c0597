"""The ledger, the fee schedule, claims as the worklist sees them, remittances as they came, and payments.

The database itself keeps the books: debits equal credits at every commit, nothing posted is ever changed or removed, and one source
is posted once. `tenant` leads every key. Money is numeric(12,2) US dollars.
"""

from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models

LEDGER = """
create table ledger_account (
  tenant int not null, code text not null, kind text not null check (kind in ('asset', 'liability', 'income', 'expense')), title text not null,
  primary key (tenant, code)
);

create table ledger_transaction (
  tenant int not null, id uuid not null, kind text not null, source_kind text not null, source_id text not null,
  on_date date not null, posted_at timestamptz not null default clock_timestamp(), by_actor text not null, words text not null,
  currency text not null default 'USD' check (currency = 'USD'),
  opened_in xid8 not null default pg_current_xact_id(),
  primary key (tenant, id),
  constraint ledger_source_once unique (tenant, source_kind, source_id)
);

create table ledger_entry (
  tenant int not null, transaction uuid not null, place smallint not null, account text not null,
  debit numeric(12,2) not null default 0, credit numeric(12,2) not null default 0,
  patient text, claim text, payer text,
  primary key (tenant, transaction, place),
  foreign key (tenant, transaction) references ledger_transaction (tenant, id),
  foreign key (tenant, account) references ledger_account (tenant, code),
  constraint ledger_entry_one_side check (debit >= 0 and credit >= 0 and (debit > 0) <> (credit > 0))
);
create index ledger_entry_by_patient on ledger_entry (tenant, patient, account) include (debit, credit) where patient is not null;
create index ledger_entry_by_claim on ledger_entry (tenant, claim, account) include (debit, credit) where claim is not null;
create index ledger_entry_by_account on ledger_entry (tenant, account) include (debit, credit);

create function ledger_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is append-only: correct it by a further transaction' using errcode = 'restrict_violation';
end $$;
create trigger append_only before update or delete on ledger_transaction for each row execute function ledger_refuse_change();
create trigger append_only before update or delete on ledger_entry for each row execute function ledger_refuse_change();
create trigger never_emptied before truncate on ledger_transaction for each statement execute function ledger_refuse_change();
create trigger never_emptied before truncate on ledger_entry for each statement execute function ledger_refuse_change();

create function ledger_entry_in_its_transaction() returns trigger language plpgsql as $$
begin
  perform 1 from ledger_transaction where tenant = new.tenant and id = new.transaction and opened_in = pg_current_xact_id();
  if not found then
    raise exception 'a posted ledger transaction takes no further entries' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger only_while_open before insert on ledger_entry for each row execute function ledger_entry_in_its_transaction();

create function ledger_must_balance(the_tenant int, the_transaction uuid) returns void language plpgsql as $$
declare
  debits numeric; credits numeric; entries int;
begin
  select coalesce(sum(debit), 0), coalesce(sum(credit), 0), count(*) into debits, credits, entries
    from ledger_entry where tenant = the_tenant and transaction = the_transaction;
  if entries < 2 or debits <> credits then
    raise exception 'ledger transaction % does not balance: % debit, % credit, % entries', the_transaction, debits, credits, entries
      using errcode = 'check_violation', constraint = 'ledger_balances';
  end if;
end $$;
create function ledger_entry_balances() returns trigger language plpgsql as $$
begin perform ledger_must_balance(new.tenant, new.transaction); return null; end $$;
create function ledger_transaction_balances() returns trigger language plpgsql as $$
begin perform ledger_must_balance(new.tenant, new.id); return null; end $$;
create constraint trigger ledger_balances after insert on ledger_entry
  deferrable initially deferred for each row execute function ledger_entry_balances();
create constraint trigger ledger_balances after insert on ledger_transaction
  deferrable initially deferred for each row execute function ledger_transaction_balances();
"""

ROOM = """
create table billing_counter (tenant int not null, name text not null, last bigint not null default 0, primary key (tenant, name));

create table billing_fee (
  tenant int not null, code text not null, system text not null, description text not null,
  price numeric(12,2) not null check (price >= 0), charged_for text[] not null default '{}', is_active boolean not null default true,
  changed_at timestamptz not null default clock_timestamp(), changed_by text not null,
  primary key (tenant, code)
);

create table billing_claim (
  tenant int not null, claim text not null, number text not null, patient text, visit text, payer text,
  state text not null, total numeric(12,2) not null, served_on date, submitted_at timestamptz, changed_at timestamptz not null default clock_timestamp(),
  primary key (tenant, claim), constraint claim_number_once unique (tenant, number)
);
create index billing_claim_by_state on billing_claim (tenant, state, served_on, claim);
create index billing_claim_of_visit on billing_claim (tenant, visit);
create index billing_claim_of_patient on billing_claim (tenant, patient);

create table billing_submission (
  tenant int not null, id uuid not null, control bigint not null, file_name text not null, sha256 bytea not null, claims text[] not null,
  total numeric(12,2) not null, made_at timestamptz not null default clock_timestamp(), made_by text not null, state text not null default 'writing',
  body bytea not null,
  primary key (tenant, id), unique (tenant, control)
);

create table billing_remittance_file (
  tenant int not null, id uuid not null, name text not null, sha256 bytea not null, size int not null, body bytea not null,
  received_at timestamptz not null default clock_timestamp(), received_by text not null,
  primary key (tenant, id), constraint remittance_file_once unique (tenant, sha256)
);

create table billing_remittance (
  tenant int not null, id uuid not null, file uuid not null, payer text not null, trace text not null, payer_name text not null,
  amount numeric(12,2) not null, paid_on date not null, state text not null check (state in ('posted', 'quarantined', 'closed')),
  reason text not null default '', reconciliation text not null default '', posted_at timestamptz not null default clock_timestamp(),
  closed_by text not null default '', closed_why text not null default '',
  primary key (tenant, id), foreign key (tenant, file) references billing_remittance_file (tenant, id),
  constraint closed_says_why check (state <> 'closed' or (closed_by <> '' and closed_why <> ''))
);
create unique index remittance_once on billing_remittance (tenant, payer, trace) where state = 'posted';

create table billing_remittance_item (
  tenant int not null, remittance uuid not null, place int not null, claim_number text not null, status text not null,
  charge numeric(12,2) not null, paid numeric(12,2) not null, payer_control text not null,
  state text not null check (state in ('posted', 'unmatched', 'matched', 'set-aside')), reason text not null default '',
  claim text, patient text, worked_by text not null default '', worked_at timestamptz, worked_why text not null default '',
  primary key (tenant, remittance, place), foreign key (tenant, remittance) references billing_remittance (tenant, id),
  constraint worked_says_who check ((state in ('matched', 'set-aside')) = (worked_by <> '' and worked_at is not null))
);
create index remittance_item_to_work on billing_remittance_item (tenant, remittance) where state = 'unmatched';
create index remittance_item_of_claim on billing_remittance_item (tenant, claim) where claim is not null;

create table billing_refused_file (
  tenant int not null, id uuid not null, name text not null, sha256 bytea not null, reason text not null,
  refused_at timestamptz not null default clock_timestamp(), seen_by text not null default '',
  primary key (tenant, id)
);

create table billing_payment (
  tenant int not null, id uuid not null, key text not null, patient text not null, method text not null check (method in ('card', 'cash', 'check')),
  amount numeric(12,2) not null check (amount > 0), state text not null check (state in ('started', 'paid', 'declined')),
  reason text not null default '', processor_id text not null default '', last4 text not null default '' check (length(last4) in (0, 4)),
  notice text not null default '', receipt text not null, made_at timestamptz not null default clock_timestamp(), made_by text not null,
  primary key (tenant, id), constraint payment_key_once unique (tenant, key), unique (tenant, receipt)
);
create index billing_payment_of_patient on billing_payment (tenant, patient, made_at desc);

create table billing_statement (
  tenant int not null, id uuid not null, number text not null, patient text not null, invoice text not null,
  balance numeric(12,2) not null, made_at timestamptz not null default clock_timestamp(), made_by text not null, due_on date not null,
  pdf bytea not null, paperless boolean not null,
  primary key (tenant, id), unique (tenant, number)
);
create index billing_statement_of_patient on billing_statement (tenant, patient, made_at desc);

create table billing_payment_link (
  tenant int not null, id uuid not null, token_digest bytea not null, patient text not null, statement uuid,
  made_at timestamptz not null default clock_timestamp(), made_by text not null, expires_at timestamptz not null,
  paid_at timestamptz, payment uuid,
  primary key (tenant, id), constraint payment_link_digest unique (tenant, token_digest)
);
"""

UNDO = """
drop table billing_payment_link, billing_statement, billing_payment, billing_refused_file, billing_remittance_item, billing_remittance,
  billing_remittance_file, billing_submission, billing_claim, billing_fee, billing_counter, ledger_entry, ledger_transaction, ledger_account;
drop function ledger_entry_balances, ledger_transaction_balances, ledger_must_balance, ledger_entry_in_its_transaction, ledger_refuse_change;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(LEDGER, "select 1"),
        migrations.RunSQL(ROOM, UNDO),
        migrations.CreateModel(
            name="ClaimRow",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "claim", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("claim", models.TextField()),
                ("number", models.TextField()),
                ("patient", models.TextField(null=True)),
                ("visit", models.TextField(null=True)),
                ("payer", models.TextField(null=True)),
                ("state", models.TextField()),
                ("total", models.DecimalField(decimal_places=2, max_digits=12)),
                ("served_on", models.DateField(null=True)),
                ("submitted_at", models.DateTimeField(null=True)),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "db_table": "billing_claim",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Fee",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "code", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("code", models.TextField()),
                ("system", models.TextField()),
                ("description", models.TextField()),
                ("price", models.DecimalField(decimal_places=2, max_digits=12)),
                ("charged_for", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
                ("is_active", models.BooleanField(default=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                ("changed_by", models.TextField()),
            ],
            options={
                "db_table": "billing_fee",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="LedgerAccount",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "code", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("code", models.TextField()),
                ("kind", models.TextField()),
                ("title", models.TextField()),
            ],
            options={
                "db_table": "ledger_account",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "transaction", "place", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("transaction", models.UUIDField()),
                ("place", models.SmallIntegerField()),
                ("account", models.TextField()),
                ("debit", models.DecimalField(decimal_places=2, max_digits=12)),
                ("credit", models.DecimalField(decimal_places=2, max_digits=12)),
                ("patient", models.TextField(null=True)),
                ("claim", models.TextField(null=True)),
                ("payer", models.TextField(null=True)),
            ],
            options={
                "db_table": "ledger_entry",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="LedgerTransaction",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("id", models.UUIDField()),
                ("kind", models.TextField()),
                ("source_kind", models.TextField()),
                ("source_id", models.TextField()),
                ("on_date", models.DateField()),
                ("posted_at", models.DateTimeField()),
                ("by_actor", models.TextField()),
                ("words", models.TextField()),
            ],
            options={
                "db_table": "ledger_transaction",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("id", models.UUIDField()),
                ("key", models.TextField()),
                ("patient", models.TextField()),
                ("method", models.TextField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("state", models.TextField()),
                ("reason", models.TextField(blank=True)),
                ("processor_id", models.TextField(blank=True)),
                ("last4", models.TextField(blank=True)),
                ("notice", models.TextField(blank=True)),
                ("receipt", models.TextField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("made_by", models.TextField()),
            ],
            options={
                "db_table": "billing_payment",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="PaymentLink",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("id", models.UUIDField()),
                ("token_digest", models.BinaryField()),
                ("patient", models.TextField()),
                ("statement", models.UUIDField(null=True)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("made_by", models.TextField()),
                ("expires_at", models.DateTimeField()),
                ("paid_at", models.DateTimeField(null=True)),
                ("payment", models.UUIDField(null=True)),
            ],
            options={
                "db_table": "billing_payment_link",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="RefusedFile",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("id", models.UUIDField()),
                ("name", models.TextField()),
                ("sha256", models.BinaryField()),
                ("reason", models.TextField()),
                ("refused_at", models.DateTimeField(auto_now_add=True)),
                ("seen_by", models.TextField(blank=True)),
            ],
            options={
                "db_table": "billing_refused_file",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="RemittanceFile",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("id", models.UUIDField()),
                ("name", models.TextField()),
                ("sha256", models.BinaryField()),
                ("size", models.IntegerField()),
                ("body", models.BinaryField()),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                ("received_by", models.TextField()),
            ],
            options={
                "db_table": "billing_remittance_file",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="RemittanceItem",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "remittance", "place", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("remittance", models.UUIDField()),
                ("place", models.IntegerField()),
                ("claim_number", models.TextField()),
                ("status", models.TextField()),
                ("charge", models.DecimalField(decimal_places=2, max_digits=12)),
                ("paid", models.DecimalField(decimal_places=2, max_digits=12)),
                ("payer_control", models.TextField()),
                ("state", models.TextField()),
                ("reason", models.TextField(blank=True)),
                ("claim", models.TextField(null=True)),
                ("patient", models.TextField(null=True)),
                ("worked_by", models.TextField(blank=True)),
                ("worked_at", models.DateTimeField(null=True)),
                ("worked_why", models.TextField(blank=True)),
            ],
            options={
                "db_table": "billing_remittance_item",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="RemittanceRow",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("id", models.UUIDField()),
                ("file", models.UUIDField()),
                ("payer", models.TextField()),
                ("trace", models.TextField()),
                ("payer_name", models.TextField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("paid_on", models.DateField()),
                ("state", models.TextField()),
                ("reason", models.TextField(blank=True)),
                ("reconciliation", models.TextField(blank=True)),
                ("posted_at", models.DateTimeField(auto_now_add=True)),
                ("closed_by", models.TextField(blank=True)),
                ("closed_why", models.TextField(blank=True)),
            ],
            options={
                "db_table": "billing_remittance",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("id", models.UUIDField()),
                ("number", models.TextField()),
                ("patient", models.TextField()),
                ("invoice", models.TextField()),
                ("balance", models.DecimalField(decimal_places=2, max_digits=12)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("made_by", models.TextField()),
                ("due_on", models.DateField()),
                ("pdf", models.BinaryField()),
                ("paperless", models.BooleanField()),
            ],
            options={
                "db_table": "billing_statement",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("id", models.UUIDField()),
                ("control", models.BigIntegerField()),
                ("file_name", models.TextField()),
                ("sha256", models.BinaryField()),
                ("claims", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ("total", models.DecimalField(decimal_places=2, max_digits=12)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("made_by", models.TextField()),
                ("state", models.TextField()),
                ("body", models.BinaryField()),
            ],
            options={
                "db_table": "billing_submission",
                "managed": False,
            },
        ),
    ]
