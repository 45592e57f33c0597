"""The money: from a signed visit to a paid bill. Claims, remittances, statements and payments over a double-entry ledger."""
