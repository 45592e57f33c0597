"""Pure converters between files other systems send and what Openward keeps: bytes in, values out; no I/O, no database."""
