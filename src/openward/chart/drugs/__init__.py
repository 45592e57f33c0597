"""The drugs Openward knows and the check it makes before one is prescribed. Pure: no record, no clock of its own, no request."""
