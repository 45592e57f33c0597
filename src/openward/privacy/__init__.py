"""The privacy officer's room: who opened whose record, and what was refused."""
